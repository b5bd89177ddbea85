"""Choosing passages by BM25 in pure Python against the libraries that a user would take."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from extensions.airoboros_longctx.core.packing.best_passages import rank
from extensions.airoboros_longctx.core.packing.bm25 import query_terms
from extensions.airoboros_longctx.core.packing.passages import passages
from extensions.airoboros_longctx.core.prompts.closed_context import Document, normalise_document

from .corpus import english
from .measuring import PAIRS, Row, compared, row, seconds_of
from .packing import QUESTION

_WORD = re.compile(r"\w+")


def passage_rows(size: int, documents: int = 10) -> Iterator[Row]:
    """From the raw texts to the ranked passages for one question, each way from the beginning."""
    texts = [english(size // documents, seed) for seed in range(documents)]

    def ours() -> None:
        rank([normalise_document(Document(text)).text for text in texts], QUESTION)

    times = [seconds_of(ours) for _ in range(PAIRS)]
    name = f"passages chosen, {size:,} characters"
    goal = 1.0 if size >= 10_000_000 else None
    yield row(f"{name}, in seconds", "one second", times, times, at_most=goal)
    for library, theirs in (("rank_bm25", _rank_bm25), ("bm25s", _bm25s)):
        yield compared(name, ours, f"{library}, passages of the same size", functools.partial(theirs, texts))


def _split(texts: list[str]) -> list[list[str]]:
    """The same passages, in words, as both libraries' pages show it."""
    return [_WORD.findall(text[begin:end].lower()) for text in texts for begin, end in passages(text)]


def _rank_bm25(texts: list[str]) -> None:
    from rank_bm25 import BM25Okapi

    BM25Okapi(_split(texts)).get_scores(list(query_terms(QUESTION)))


def _bm25s(texts: list[str]) -> None:
    import bm25s

    retriever = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    retriever.index(_split(texts), show_progress=False)
    known = retriever.vocab_dict
    retriever.get_scores([term for term in query_terms(QUESTION) if term in known])
