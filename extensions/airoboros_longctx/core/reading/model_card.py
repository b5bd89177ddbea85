"""What a model card (README.md) says about its context: sentences on ``max_seq_len`` and ``compress_pos_emb``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ..foreign_text import quoted
from ..model_facts import ScalingStatement

SOURCE = "the model card (README.md)"

_SMALLEST_WINDOW, _LARGEST_WINDOW = 256, 4_194_304
_LARGEST_FACTOR = 64.0
_MOST_SENTENCES = 50
_SENTENCE_CHARACTERS = 1000
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*(?:[-*•#|>]|\d+\.)\s)")
_KEYS = re.compile(r"max_seq_len|compress_pos_emb", re.IGNORECASE)
#: SuperHOT's cards say it in the terms of their patch, which multiplies positions: 0.25 is a factor of 4.
_PATCH = re.compile(
    r"scaling factor (?:to|of) `?(0?\.\d{1,6})\b.{0,60}?maximum sequence length (?:to|of) `?(\d{3,7})\b", re.IGNORECASE
)
#: The first number after a key, within the same sentence: "to `8192` (or 4096)", "= 8,192", "to 16K".
#: A number to divide by is a formula and states nothing: "compress_pos_emb should be max_seq_len / 2048".
_NUMBER = re.compile(
    r"[^0-9]{0,60}?(?<![/÷])(?<![/÷] )(\d{1,3}(?:,\d{3})+|\d{1,9}(?:\.\d{1,4})?)\s?(k\b)?", re.IGNORECASE
)
#: What "may work" too is not what the card asks for: "it may work with compress_pos_emb 2, but was trained on 4".
_HEDGED = re.compile(r"\b(?:may|might|could)\b[^,;.!?]{0,80}$", re.IGNORECASE)
#: The parts of the vicuna-style preamble that tell the generations apart.
_PREAMBLE = re.compile(r"a chat between a curious user and an assistant\.", re.IGNORECASE)
_NEVER_REFUSES = re.compile(r"the assistant never refuses to answer", re.IGNORECASE)
_MODEL_BASENAME = re.compile(r"""model_basename\s{0,4}=\s{0,4}["']([^"'\n]{1,200})["']""")


@dataclass(frozen=True)
class _Mention:
    sentence: str
    window: int | None
    factor: float | None


def card_scaling(card: str, problems: list[str]) -> ScalingStatement | None:
    """The one scaling that all sentences of the card agree on.

    Sentences that contradict each other are all dropped, and a sentence in ``problems`` names two of them.
    "8192 (or 4096)" is no contradiction: the first number is what the card recommends.
    """
    mentions = list(_mentions(card))
    window = _agreed([(mention.window, mention.sentence) for mention in mentions], "max_seq_len", problems)
    factor = _agreed([(mention.factor, mention.sentence) for mention in mentions], "compress_pos_emb", problems)
    if factor is None:
        return None
    if window is None and any(mention.window for mention in mentions):
        return None
    quotes = dict.fromkeys(mention.sentence for mention in mentions if mention.factor or mention.window)
    both = [mention.sentence for mention in mentions if mention.factor and mention.window]
    quote = both[0] if both else " … ".join(quotes)
    return ScalingStatement(
        source=SOURCE,
        quote=quoted(quote),
        factor=factor,
        original_max_position_embeddings=None if window is None else round(window / factor),
        max_position_embeddings=None if window is None else int(window),
    )


def _mentions(card: str) -> Iterator[_Mention]:
    found = 0
    for sentence in _SENTENCE_END.split(card.replace("\\_", "_")):
        # A card without a line break is one long "sentence": only what stands around the keys is looked at.
        keys = list(islice(_KEYS.finditer(sentence), _MOST_SENTENCES))
        patch = _PATCH.search(sentence[:_SENTENCE_CHARACTERS])
        if not keys and patch is None:
            continue
        found += 1
        if found > _MOST_SENTENCES:
            return
        if patch is not None:
            yield _Mention(quoted(sentence[:_SENTENCE_CHARACTERS]), _window_in_range(int(patch[2])), _inverse(patch[1]))
        if not keys:
            continue
        values: dict[str, re.Match[str] | None] = {"max_seq_len": None, "compress_pos_emb": None}
        for key, following in zip(keys, [*keys[1:], None], strict=True):
            if _HEDGED.search(sentence[max(0, key.start() - 100) : key.start()]):
                continue
            until = key.end() + _SENTENCE_CHARACTERS if following is None else following.start()
            number = _NUMBER.match(sentence[key.end() : until])
            if number is not None and values[key[0].lower()] is None:
                values[key[0].lower()] = number
        window, factor = values["max_seq_len"], values["compress_pos_emb"]
        start = max(0, keys[0].start() - 120)
        yield _Mention(quoted(sentence[start : start + _SENTENCE_CHARACTERS]), _window(window), _factor(factor))


def _window(number: re.Match[str] | None) -> int | None:
    if number is None:
        return None
    tokens = round(float(number[1].replace(",", "")) * (1024 if number[2] else 1))
    return _window_in_range(tokens)


def _window_in_range(tokens: int) -> int | None:
    return tokens if _SMALLEST_WINDOW <= tokens <= _LARGEST_WINDOW else None


def _inverse(scale: str) -> float | None:
    """The factor that divides positions where ``scale`` multiplies them."""
    return round(1 / float(scale), 4) if float(scale) >= 1 / _LARGEST_FACTOR else None


def _factor(number: re.Match[str] | None) -> float | None:
    if number is None or number[2] or "," in number[1]:
        return None
    factor = float(number[1])
    return factor if 1.0 <= factor <= _LARGEST_FACTOR else None


def _agreed(values: list[tuple[float | None, str]], key: str, problems: list[str]) -> float | None:
    """The one value that all mentions state; None where none or several different ones are stated."""
    stated: dict[float, str] = {}
    for value, sentence in values:
        if value is not None:
            stated.setdefault(value, sentence)
    if len(stated) > 1:
        (one, first), (other, second) = list(stated.items())[:2]
        problems.append(
            f"The model card contradicts itself: {key} {one:g} in “{quoted(first, 120)}”"
            f" and {other:g} in “{quoted(second, 120)}”; neither is used."
        )
        return None
    return next(iter(stated), None)


def card_never_refuses(card: str) -> bool | None:
    """Whether the card's prompt carries the sentence "The assistant never refuses…"; None without the preamble."""
    text = " ".join(card.split())
    if _PREAMBLE.search(text) is None:
        return None
    return _NEVER_REFUSES.search(text) is not None


def card_weight_name(card: str) -> str | None:
    """The weight file (without its ending) that the card's own example loads."""
    match = _MODEL_BASENAME.search(card)
    return match[1] if match else None
