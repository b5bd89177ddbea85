"""Documents to a packed prompt against one pass of the tokenizer over the same text, and its growth with the text."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterator

from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, render
from extensions.airoboros_longctx.core.prompts.document_options import WHEN_TOO_LONG, WHOLE, DocumentOptions
from extensions.airoboros_longctx.prompt_service import PromptService

from .corpus import english
from .document_turn import QUESTION, WINDOW, Turn, documents_of, fast_tokenizer
from .measuring import in_turn, row, seconds_of, times_row
from .rows import Options, Row

NAME = "packing"


class _Text:
    """Documents, and the same text in one piece."""

    def __init__(self, characters: int, count_tokens: Callable[[str], int]) -> None:
        self.characters, self.count_tokens = characters, count_tokens
        self.documents = documents_of(english(characters), max(20, characters // 10_000))
        self.whole = render(ClosedContext(tuple(self.documents), QUESTION))
        self.tokens = count_tokens(self.whole)

    def tokenize(self) -> float:
        return seconds_of(lambda: self.count_tokens(self.whole))

    def pack(self, how: str, limit_tokens: int) -> float:
        """With nothing remembered from an earlier question."""
        options, turn = DocumentOptions(when_too_long=how), Turn(limit_tokens, self.count_tokens)
        return seconds_of(lambda: PromptService().build(self.documents, QUESTION, options, turn))


def rows(options: Options) -> Iterator[Row]:
    """Everything fits; then each choice for a window of 8192 tokens, and for one that is a little too small."""
    count_tokens = fast_tokenizer()
    small, large = (20_000, 60_000) if options.quick else (100_000, 1_000_000)
    few, many = _Text(small, count_tokens), _Text(large, count_tokens)
    growths: dict[str, list[float]] = {}
    for what, how, share in _cases():
        (own_few, pass_few), (own, one_pass) = (_pairs(text, how, share, options) for text in (few, many))
        name = f"packed prompt, {large:,} characters, {what}"
        yield times_row(name, own, "one tokenizer pass over the same text", one_pass, at_most=1.2)
        growths[what] = [
            (most / least) / (pass_most / pass_least)
            for most, least, pass_most, pass_least in zip(own, own_few, one_pass, pass_few, strict=True)
        ]
    worst = max(growths, key=lambda what: statistics.median(growths[what]))
    against = f"the tokenizer's growth from {small:,} to {large:,}"
    yield row(f"growth of that time, the most of {len(growths)}: {worst}", against, growths[worst], at_most=1.2)


def _cases() -> Iterator[tuple[str, str, float | None]]:
    """What is said, the choice, and the window as a share of what the text needs (None: 8192 tokens)."""
    yield "all of it fits", WHOLE, 1.1
    for how in WHEN_TOO_LONG:
        yield f"{how}, window {WINDOW}", how, None
        yield f"{how}, 4/5 of it fits", how, 0.8


def _pairs(text: _Text, how: str, share: float | None, options: Options) -> tuple[list[float], list[float]]:
    limit = WINDOW if share is None else int(text.tokens * share)
    return in_turn(functools.partial(text.pack, how, limit), text.tokenize, options.pairs())
