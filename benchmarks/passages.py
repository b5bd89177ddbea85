"""Choosing passages by BM25 in pure Python, against one second and the libraries that a user would take."""

from __future__ import annotations

import functools
import re
import statistics
from collections.abc import Callable, Iterator

from extensions.airoboros_longctx.core.packing.best_passages import rank
from extensions.airoboros_longctx.core.packing.bm25 import query_terms
from extensions.airoboros_longctx.core.packing.passages import passages
from extensions.airoboros_longctx.core.prompts.closed_context import Document, normalise_document

from .corpus import english
from .document_turn import QUESTION, fast_tokenizer
from .measuring import compared, row, seconds_of, spoken_seconds
from .rows import Options, Row

NAME = "passages"
_DOCUMENTS = 10
_WORD = re.compile(r"\w+")


def rows(options: Options) -> Iterator[Row]:
    """From the raw texts to the ranked passages for one question, each way from the beginning."""
    characters = 100_000 if options.quick else 10_000_000
    texts = [english(characters // _DOCUMENTS, seed) for seed in range(_DOCUMENTS)]
    name = f"passages chosen, {characters:,} characters"

    def choose() -> None:
        rank([normalise_document(Document(text)).text for text in texts], QUESTION)

    times = [seconds_of(choose) for _ in range(options.pairs())]
    measured = spoken_seconds(statistics.median(times))
    yield row(name, "one second", times, at_most=None if options.quick else 1.0, measured=measured)
    yield compared(name, choose, "one tokenizer pass", _tokenizer_pass(texts), pairs=options.pairs())
    for library, theirs in (("rank_bm25", _rank_bm25), ("bm25s", _bm25s)):
        against = f"{library}, passages of the same size"
        theirs(texts[:1])  # a package that is not there is found before anything is measured
        yield compared(name, choose, against, functools.partial(theirs, texts), pairs=options.pairs())


def _tokenizer_pass(texts: list[str]) -> Callable[[], object]:
    count_tokens = fast_tokenizer()
    return lambda: [count_tokens(text) for text in texts]


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
