"""Where an answer comes from: the sources that a reply states, against the documents of the very same request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..documents.chat_session import ChatDocument
from ..packing.packed_prompt import SentBlock
from ..prompts.closed_context import Document
from .carrying_passage import Passage, carrying_passage, content_words, place_in
from .source_matching import match_groups
from .stated_sources import split_reply
from .unfound_values import unfound_values

#: A reply is looked at up to here; no window of these models holds more.
_REPLY_CHARACTERS = 200_000
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


@dataclass(frozen=True)
class SentDocument:
    """A document of one request. ``block`` is what was sent, perhaps shortened; ``text`` the whole text it is from."""

    id: str
    title: str
    block: Document
    text: str


def sent_documents(documents: Sequence[ChatDocument], blocks: Iterable[SentBlock]) -> list[SentDocument]:
    """The ``documents`` that a prompt was built of, as they stand in its ``blocks``."""
    pairs = [(documents[one.document], one.block) for one in blocks]
    return [SentDocument(document.id, document.title, block, document.text) for document, block in pairs]


@dataclass(frozen=True)
class SourceLink:
    """A document, and the passage of its whole text that carries the answer: its offsets, or None where not found."""

    id: str
    title: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class StatedSource:
    """One source as a reply states it. No ``documents``: it was not among those that were sent.

    ``wrong`` are the stated pairs that the matched documents do not have.
    """

    stated: str
    documents: tuple[SourceLink, ...] = ()
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceCheck:
    """``sources`` are the stated ones; ``carried_by`` the document that carries an answer without a stated source.

    ``unfound`` are values of the answer that occur in no document and not in the question.
    """

    sources: tuple[StatedSource, ...] = ()
    carried_by: tuple[SourceLink, ...] = ()
    unfound: tuple[str, ...] = ()


def check_reply(reply: str, sent: Sequence[SentDocument], question: str = "") -> SourceCheck:
    """The sources and key values of a finished ``reply`` to ``question`` over the documents ``sent`` with it.

    The same input gives the same result, in time linear in the lengths of all three.
    """
    if not sent:
        return SourceCheck()
    reply = _THOUGHT.sub("", reply[:_REPLY_CHARACTERS])
    names = [name for one in sent for name, _ in one.block.metadata]
    answer, groups = split_reply(reply, names)
    passages = _Passages(sent, content_words(answer), content_words(question))
    sources = tuple(
        StatedSource(match.group.text, tuple(map(passages.link, match.documents)), match.wrong)
        for match in match_groups(groups, [one.block for one in sent])
    )
    return SourceCheck(
        tuple(dict.fromkeys(sources)),
        () if sources else passages.best_link(),
        unfound_values(answer, [one.block for one in sent], question),
    )


class _Passages:
    """The passage of each sent document that carries the answer, found once."""

    def __init__(self, sent: Sequence[SentDocument], answer: set[str], question: set[str]) -> None:
        self._sent = sent
        self._answer, self._question = answer, question
        self._found: dict[int, Passage | None] = {}

    def _passage(self, number: int) -> Passage | None:
        if number not in self._found:
            text = self._sent[number].block.text
            self._found[number] = carrying_passage(text, self._answer, self._question) if self._answer else None
        return self._found[number]

    def link(self, number: int) -> SourceLink:
        one, passage = self._sent[number], self._passage(number)
        place = place_in(one.text, one.block.text[passage.start : passage.end]) if passage is not None else None
        return SourceLink(one.id, one.title, *place) if place is not None else SourceLink(one.id, one.title)

    def best_link(self) -> tuple[SourceLink, ...]:
        scores = {number: passage.score for number in range(len(self._sent)) if (passage := self._passage(number))}
        return (self.link(max(scores, key=lambda number: scores[number])),) if scores else ()
