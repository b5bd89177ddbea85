"""Where an answer comes from: the sources that a reply states, against the documents of the very same request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .closed_context import Document


@dataclass(frozen=True)
class SentDocument:
    """A document of one request. ``block`` is what was sent, perhaps shortened; ``text`` the whole text it is from."""

    id: str
    title: str
    block: Document
    text: str


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
    """``sources`` are the stated ones; ``carried_by`` the documents that carry an answer without a stated source.

    ``unfound`` are values of the answer that occur in no document and not in the question.
    """

    sources: tuple[StatedSource, ...] = ()
    carried_by: tuple[SourceLink, ...] = ()
    unfound: tuple[str, ...] = ()


def check_reply(reply: str, sent: Sequence[SentDocument], question: str = "") -> SourceCheck:
    """The sources and key values of a finished ``reply`` to ``question`` over the documents ``sent`` with it."""
    return SourceCheck()
