"""The passages that matter for the question, from all documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .bm25 import bm25_scores, fold, query_terms, term_frequencies
from .measured_document import Chooser, Kept, MeasuredDocument
from .parts import merged
from .passages import passages
from .shorten import MARK_TOKENS

#: After so many passages in a row that were too long for the room that is left, it counts as full.
_MOST_MISSES = 64
#: How far from a chosen passage the text around it is added where there is room left, in passages.
_NEIGHBOURS = 8


@dataclass(frozen=True)
class Passage:
    """``number`` is its place among all passages of all documents."""

    number: int
    document: int
    begin: int
    end: int


@dataclass(frozen=True)
class RankedPassages:
    """``every`` passage in order, and the ``best`` ones, those with a word of the question, best first."""

    every: Sequence[Passage]
    best: Sequence[Passage]


def rank(texts: Sequence[str], question: str) -> RankedPassages:
    """The passages of all normalised ``texts`` for ``question``. Lengths are taken in characters."""
    terms = query_terms(question)
    every: list[Passage] = []
    frequencies: list[dict[int, int]] = [{} for _ in terms]
    for document, text in enumerate(texts):
        found = passages(text)
        first, begins, folded = len(every), [begin for begin, _ in found], fold(text)
        every += [Passage(first + at, document, begin, end) for at, (begin, end) in enumerate(found)]
        for counts, term in zip(frequencies, terms, strict=True):
            counts.update({first + at: count for at, count in term_frequencies(folded, begins, term).items()})
    scores = bm25_scores(frequencies, [one.end - one.begin for one in every])
    best = sorted(scores, key=lambda number: (-scores[number], number))
    return RankedPassages(every, [every[number] for number in best])


def best_passages(documents: Sequence[MeasuredDocument], ranked: RankedPassages) -> Chooser:
    """The best passages that fit, then the ones around them; with no room at all the shortest of the very best."""

    def choose(room: float) -> Kept:
        if room <= 0:
            one = min(ranked.best[:_MOST_MISSES], key=lambda passage: _tokens(documents, passage))
            return _parts(documents, [one])
        basket = _Basket(documents, room)
        misses = 0
        for passage in ranked.best:
            misses = 0 if basket.add(passage) else misses + 1
            if misses > _MOST_MISSES:
                break
        else:
            _add_neighbours(basket, ranked)
        return _parts(documents, list(basket.chosen.values()))

    return choose


def _add_neighbours(basket: _Basket, ranked: RankedPassages) -> None:
    best = list(basket.chosen.values())
    for distance in range(1, _NEIGHBOURS + 1):
        for passage in best:
            for number in (passage.number - distance, passage.number + distance):
                if 0 <= number < len(ranked.every) and ranked.every[number].document == passage.document:
                    basket.add(ranked.every[number])


class _Basket:
    """What was chosen so far, and the tokens that are left."""

    def __init__(self, documents: Sequence[MeasuredDocument], room: float) -> None:
        self._measured = documents
        self._left = room
        self._begun: set[int] = set()
        self.chosen: dict[int, Passage] = {}

    def add(self, passage: Passage) -> bool:
        """False where it does not fit."""
        if passage.number in self.chosen:
            return True
        tokens = _tokens(self._measured, passage)
        if passage.document not in self._begun:
            tokens += self._measured[passage.document].envelope
        beside = {passage.number - 1, passage.number + 1} & self.chosen.keys()
        tokens += MARK_TOKENS * (1 - len(beside))  # a gap more, the same, or one that is closed
        if tokens > self._left:
            return False
        self._left -= tokens
        self._begun.add(passage.document)
        self.chosen[passage.number] = passage
        return True


def _tokens(documents: Sequence[MeasuredDocument], passage: Passage) -> float:
    return documents[passage.document].rate * (passage.end - passage.begin)


def _parts(documents: Sequence[MeasuredDocument], chosen: Sequence[Passage]) -> Kept:
    kept: list[list[tuple[int, int]]] = [[] for _ in documents]
    for passage in chosen:
        kept[passage.document].append((passage.begin, passage.end))
    return tuple(
        merged(document.text, tuple(sorted(parts))) if parts else ()
        for document, parts in zip(documents, kept, strict=True)
    )
