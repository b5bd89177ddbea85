"""The passage of a document that carries an answer: the one that has most of the answer's words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: A longer paragraph is taken by its sentences.
_PASSAGE_CHARACTERS = 500
#: Words of the answer that are compared, and words by which a passage is found again in the whole text.
_ANSWER_WORDS, _END_WORDS = 200, 8
#: What a word of the question counts, one of the answer being 1: it decides between passages alike.
_QUESTION_WEIGHT = 0.2

_TOKEN = re.compile(r"\w+")
_PARAGRAPH = re.compile(r"[^\n]+")
_SENTENCE = re.compile(r"[^.!?。！？]+(?:[.!?。！？]+[\"'”’)\]]*(?=\s|\Z)|[.!?。！？])?\s*")
_COMMON = frozenset(
    "the and for are was were has have had not but with that this these those from they them their there then than "
    "its his her she who whom what which when where why how does did can could would should will may might must into "
    "about also been being because between both each more most other some such only over under out our your you all "
    "any one two very now according answer document documents text source sources information provided mentioned "
    "states stated given yes".split()
)


@dataclass(frozen=True)
class Passage:
    """``score`` is how much of the answer it carries, above 0; ``start`` and ``end`` are its place in the text."""

    start: int
    end: int
    score: float


def words(text: str) -> list[str]:
    return [token.casefold() for token in _TOKEN.findall(text)]


def content_words(text: str) -> set[str]:
    """The words of ``text`` that say something: numbers, and words of three letters or more that are not common."""
    found = (word for word in words(text) if word.isdecimal() or (len(word) > 2 and word not in _COMMON))
    return {word for word, _ in zip(found, range(_ANSWER_WORDS), strict=False)}


def carrying_passage(text: str, answer: set[str], question: set[str]) -> Passage | None:
    """The passage of ``text`` with most of the words in ``answer``; None where no passage has enough of them.

    Enough is half of them, or three, and half of the answer's own words: those that only repeat the question are in
    wrong answers too. Words that few passages have count more. Linear in the length of ``text``.
    """
    asked, own = question - answer, answer - question
    spans: list[tuple[int, int, set[str], set[str]]] = []
    for start, end in _passages(text):
        here = set(words(text[start:end]))
        if hits := here & answer:
            spans.append((start, end, hits, here & asked))
    often = Counter(word for _, _, hits, _ in spans for word in hits)
    best: Passage | None = None
    for start, end, hits, also in spans:
        if (2 * len(hits) < len(answer) and len(hits) < 3) or 2 * len(hits & own) < len(own):
            continue
        score = sum(1 + 1 / often[word] for word in hits) + _QUESTION_WEIGHT * len(also)
        if best is None or score > best.score:
            best = Passage(start, end, score)
    return best


def _passages(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs; of a long one, its sentences."""
    for paragraph in _PARAGRAPH.finditer(text):
        if len(paragraph[0]) <= _PASSAGE_CHARACTERS:
            yield _trimmed(text, *paragraph.span())
            continue
        for sentence in _SENTENCE.finditer(text, *paragraph.span()):
            yield from _pieces(text, *sentence.span())


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for first in range(start, end, _PASSAGE_CHARACTERS):
        yield _trimmed(text, first, min(end, first + _PASSAGE_CHARACTERS))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def place_in(text: str, passage: str) -> tuple[int, int] | None:
    """Where ``passage`` stands in ``text``, whatever stands between its words; None where it does not."""
    start = text.find(passage)
    if start >= 0:
        return start, start + len(passage)
    tokens = _TOKEN.findall(passage)
    if not tokens:
        return None
    first = _sequence(tokens[:_END_WORDS]).search(text)
    if first is None:
        return None
    last = _sequence(tokens[-_END_WORDS:]).search(text, first.start(), first.start() + 2 * len(passage) + 100)
    return first.start(), last.end() if last is not None else first.end()


def _sequence(tokens: Iterable[str]) -> re.Pattern[str]:
    return re.compile(r"[\W_]+".join(map(re.escape, tokens)))
