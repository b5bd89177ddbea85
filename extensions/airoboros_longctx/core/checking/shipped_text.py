"""The text that perplexity is measured on where the user gives none: made up from a seed, in any length.

It is a register of small facts that are stated again and again. A few are restated all the time and most of them
rarely (Zipf's law), so however much of the text a model has read, what lies further back still helps it with the next
sentence: where the whole window is read, perplexity falls with every doubling of the context.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate, islice

from .small_facts import small_facts

NAME = "the text that ships"
_PARAGRAPH = 12


def shipped_text(sentences: int, seed: int = 0) -> str:
    """The first ``sentences`` sentences, in paragraphs. A longer text begins with the shorter one."""
    text = ""
    for number, sentence in enumerate(islice(_sentences(seed), sentences)):
        text += sentence if not number else ("\n" if number % _PARAGRAPH == 0 else " ") + sentence
    return text


def _sentences(seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    facts = small_facts(rng)
    weights = list(accumulate(1 / rank for rank in range(1, len(facts) + 1)))
    while True:
        yield rng.choices(facts, cum_weights=weights)[0].sentence
