"""How many tokens a character of each text takes, from samples: counting a long text only to cut it takes too long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .token_counts import TokenCounter

#: A 20th of the text is sampled, in at most this many places.
_MOST_SAMPLES = 64
_SHARE = 20
_SHORTEST_SAMPLE, _LONGEST_SAMPLE = 200, 2000
_LONGEST_WORD = 40
#: A tokenizer that says less of a sample cannot be believed, in tokens per byte.
_LEAST = 1 / 64
#: What a sum of samples may be wrong by: so many standard errors, and a share of it for what samples cannot show.
_ERRORS, _MARGIN = 3.0, 0.03


@dataclass(frozen=True)
class TokenRates:
    """``per_character`` for each text, ``tokens`` in all, and ``at_least`` how many there are but for bad luck."""

    per_character: tuple[float, ...]
    tokens: float
    at_least: float


def token_rates(texts: Sequence[str], token_counter: TokenCounter) -> TokenRates:
    """Rates from samples spread evenly over all texts; a text without a sample has the rate of all, by its bytes.

    The same texts have the same samples. ``at_least`` is 0 where there are too few samples to say.
    """
    characters = sum(map(len, texts))
    most = min(_MOST_SAMPLES, characters // (_SHARE * _SHORTEST_SAMPLE)) or 1
    length = max(_SHORTEST_SAMPLE, min(_LONGEST_SAMPLE, characters // (_SHARE * most)))
    stride = max(1, characters // most)
    blank, before = token_counter("\n"), 0
    samples: list[list[float]] = []  # tokens per byte, for each text
    sampled_tokens = sampled_bytes = 0
    for text in texts:
        found = []
        first = -(-before // stride) * stride - before  # samples are in the middle of each stride
        for place in range(first, len(text), stride):
            begin = max(0, min(place + stride // 2, len(text) - length))
            part = _whole_words(text[begin : begin + length])
            tokens = max(0, token_counter(f"\n{part}") - blank)
            size = max(1, len(part.encode("utf-8", "replace")))
            found.append(tokens / size)
            sampled_tokens += tokens
            sampled_bytes += size
        samples.append(found)
        before += len(text)
    of_all = sampled_tokens / sampled_bytes if sampled_bytes else 1.0
    rates = [
        max(_LEAST, sum(found) / len(found) if found else of_all) * _bytes_per_character(text)
        for text, found in zip(texts, samples, strict=True)
    ]
    in_all = sum(rate * len(text) for rate, text in zip(rates, texts, strict=True))
    every = [rate for found in samples for rate in found]
    return TokenRates(tuple(rates), in_all, max(0.0, in_all * (1 - _MARGIN - _ERRORS * _relative_error(every))))


def _whole_words(part: str) -> str:
    """``part`` without the halves of words at its ends: a cut word takes more tokens than its share."""
    begin, end = part.find(" ", 0, _LONGEST_WORD), part.rfind(" ", -_LONGEST_WORD)
    return part[begin:end] if 0 < begin < end else part


def _relative_error(rates: Sequence[float]) -> float:
    """The standard error of the mean of ``rates``, as a share of it; 1 where there are too few."""
    mean = sum(rates) / len(rates) if rates else 0.0
    if len(rates) < 4 or not mean:
        return 1.0
    variance = sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1)
    return math.sqrt(variance / len(rates)) / mean


def _bytes_per_character(text: str) -> float:
    if text.isascii() or not text:
        return 1.0
    return len(text.encode("utf-8", "replace")) / len(text)
