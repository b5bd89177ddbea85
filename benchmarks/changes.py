"""The budget bar after one of a hundred documents, or the question, has changed, against counting all of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from extensions.airoboros_longctx.core.prompts.closed_context import Document
from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.prompt_service import PromptService

from .corpus import english
from .document_turn import QUESTION, WINDOW, Turn, documents_of, fast_tokenizer
from .measuring import compared
from .rows import Options, Row

NAME = "changes"
DOCUMENTS = 100
_REPLY_TOKENS = 512


def rows(options: Options) -> Iterator[Row]:
    """One in a hundred is the floor of the first row; 5 leaves room for the documents that only were looked at."""
    characters = 100_000 if options.quick else 1_000_000
    documents = documents_of(english(characters), DOCUMENTS)
    turn, choices, service = Turn(WINDOW, fast_tokenizer()), DocumentOptions(), PromptService()
    service.budget(documents, QUESTION, choices, turn, _REPLY_TOKENS)
    numbers = itertools.count()

    def change_one() -> None:
        number = next(numbers)
        documents[number % DOCUMENTS] = Document(f"Change {number}. {documents[number % DOCUMENTS].text}")
        service.budget(documents, QUESTION, choices, turn, _REPLY_TOKENS)

    def ask_otherwise() -> None:
        service.budget(documents, f"{QUESTION} {next(numbers)}", choices, turn, _REPLY_TOKENS)

    def count_all() -> None:
        PromptService().budget(documents, QUESTION, choices, turn, _REPLY_TOKENS)

    for what, change in (
        (f"one of {DOCUMENTS} documents changed", change_one),
        (f"the question over {DOCUMENTS} documents changed", ask_otherwise),
    ):
        name = f"{what}, {characters:,} characters"
        yield compared(name, change, f"counting all {DOCUMENTS}", count_all, at_most=0.05, pairs=options.pairs())
