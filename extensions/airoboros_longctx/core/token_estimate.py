"""A guess at a text's length in tokens where no tokenizer is at hand. Always shown as a guess."""

from __future__ import annotations

import re

#: Names the estimate among tokenizers, where counts are remembered.
ESTIMATE_ID = "estimate"
#: English prose takes about 4 characters a token with Llama's tokenizer.
_LETTERS_PER_TOKEN = 3
#: Letters, and the blank before a word, which belongs to the word's first piece.
_LETTERS = re.compile(r"[A-Za-z]| (?=[A-Za-z])")


def estimate_tokens(text: str) -> int:
    """One token for every three letters of words, and for every other byte of UTF-8: it errs on the safe side.

    Llama's tokenizer takes a token for each digit, for many a sign, and for each byte of what it has no piece for
    (emoji, rare Chinese); for Russian and the like the guess is too high.
    """
    letters = len(_LETTERS.findall(text))
    guess = -(-letters // _LETTERS_PER_TOKEN) + len(text.encode("utf-8", "replace")) - letters
    return guess + 1 if text else 0  # a text begins with a blank of the tokenizer's own
