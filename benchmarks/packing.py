"""Documents to packed prompt against one pass of the tokenizer over the same text, and one changed document of many."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extensions.airoboros_longctx.core.packing.token_counts import tokens_of_lines
from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.prompts.document_options import WHEN_TOO_LONG, WHOLE, DocumentOptions
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from extensions.airoboros_longctx.prompt_service import PromptService

from .corpus import ROOT, english
from .measuring import Row, compared, row

WINDOW = 8192
QUESTION = "Which loader is scaled when the context window is larger than the base window?"
_TOKENIZERS = (ROOT.parent / "shared" / "data" / "llama-tokenizer", ROOT / "demo/models/airoboros-tiny-1.4.1-PI-1024")


def tokenizer_folder() -> Path:
    """Llama's own tokenizer where it is, else the shipped model's."""
    return next(folder for folder in _TOKENIZERS if (folder / "tokenizer.model").is_file())


def fast_tokenizer() -> Callable[[str], int]:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(str(tokenizer_folder()))
    return lambda text: len(tokenizer(text)["input_ids"])


@dataclass
class Turn:
    limit_tokens: int
    count_tokens: Callable[[str], int]
    tokenizer_id: str = "benchmark"
    turns: int = 0

    def render(self, message: str, turns: int) -> str:
        return render_conversation(instruction_template("Airoboros-1.4"), message)


def documents_of(text: str, count: int) -> list[Document]:
    size = -(-len(text) // count)
    return [Document(text[at : at + size], (("url", f"https://web.site/{at}"),)) for at in range(0, len(text), size)]


def packing_rows(sizes: list[int]) -> Iterator[Row]:
    """For each size: everything fits, then the three choices for a window of 8192 tokens and for one just too small."""
    count = fast_tokenizer()
    ratios: dict[tuple[str, int], Row] = {}
    for size in sizes:
        documents = documents_of(english(size), max(20, size // 10_000))
        whole = render(ClosedContext(tuple(documents), QUESTION))
        tokens = count(whole)
        windows = [("it fits", tokens + 500, WHOLE)]
        windows += [(f"{how}, window {WINDOW}", WINDOW, how) for how in WHEN_TOO_LONG if tokens > 1.5 * WINDOW]
        windows += [(f"{how}, 1.25 times the window", int(tokens / 1.25), how) for how in WHEN_TOO_LONG]
        for what, limit, how in windows:
            found = compared(
                f"packed prompt, {size:,} characters, {what}",
                functools.partial(_build, documents, DocumentOptions(when_too_long=how), limit, count),
                "one tokenizer pass over the same text",
                functools.partial(count, whole),
                at_most=1.2,
            )
            ratios[what, size] = found
            yield found
    yield from _linear(ratios, sizes[0], sizes[-1])


def _build(documents: list[Document], options: DocumentOptions, limit: int, count_tokens: Callable[[str], int]) -> None:
    """With nothing remembered."""
    PromptService().build(documents, QUESTION, options, Turn(limit, count_tokens))


def _linear(rows: dict[tuple[str, int], Row], small: int, large: int) -> Iterator[Row]:
    """Seconds per character of the longest text over those of the shortest, and the same beside the tokenizer's own."""
    for what in dict.fromkeys(what for what, size in rows if size == large):
        if (what, small) in rows and small != large:
            few, many = rows[what, small], rows[what, large]
            times, name = [many.seconds], f"time per character, {large:,} characters, {what}"
            own = many.seconds / large / (few.seconds / small)
            yield row(name, f"{small:,} characters", [own], times)
            yield row(name, "the tokenizer's own growth", [many.ratio / few.ratio], times, at_most=1.2)


def changing_rows(size: int) -> Iterator[Row]:
    """The bar after one of a hundred documents changed, against the bar of all of them."""
    count = fast_tokenizer()
    documents = documents_of(english(size), 100)
    turn, options, service = Turn(WINDOW, count), DocumentOptions(), PromptService()
    service.budget(documents, QUESTION, options, turn, 512)
    changes = iter(range(1000))

    def change() -> None:
        number = next(changes)
        documents[number % 100] = Document(f"Change {number}. {documents[number % 100].text}")
        service.budget(documents, QUESTION, options, turn, 512)

    def everything() -> None:
        PromptService().budget(documents, QUESTION, options, turn, 512)

    name = f"one of 100 documents changed, {size:,} characters"
    yield compared(name, change, "counting all 100", everything, at_most=0.05)
    typed = iter(range(1000))
    yield compared(
        f"the question changed, {size:,} characters",
        lambda: service.budget(documents, f"{QUESTION} {next(typed)}", options, turn, 512),
        "counting all 100",
        everything,
        at_most=0.05,
    )
    text = "\n".join(one.text for one in documents)
    yield compared(
        f"tokens by pieces of lines, {size:,} characters",
        lambda: tokens_of_lines(text, count),
        "one tokenizer pass over the same text",
        lambda: count(text),
    )
