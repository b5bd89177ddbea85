"""A guess at a text's length in tokens where no tokenizer is at hand. Always shown as a guess."""

from __future__ import annotations

#: English prose takes about 4 characters a token with Llama's tokenizer, code and other scripts fewer.
_BYTES_PER_TOKEN = 3


def estimate_tokens(text: str) -> int:
    """At least one token for every three bytes of UTF-8: more than English prose takes, so it errs on the safe side."""
    return -(-len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)
