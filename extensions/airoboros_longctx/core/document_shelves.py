"""The documents of a page, from the store and from the page itself; every change goes to where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .chat_session import ChatDocument, ChatSession
from .document_place import Place, Shelf
from .ports import DocumentStore

Change = Callable[[tuple[ChatDocument, ...]], Sequence[ChatDocument]]


@dataclass(frozen=True)
class Shelved:
    """A document, and the scope in which it is there."""

    document: ChatDocument
    scope: str


class DocumentShelves:
    """``store`` None: every document lives in its page."""

    def __init__(self, store: DocumentStore | None = None) -> None:
        self._store = store

    def keeps(self, shelf: Shelf) -> bool:
        """True where documents on ``shelf`` survive the page."""
        return shelf.stored and self._store is not None

    def shelved(self, session: ChatSession, place: Place) -> tuple[Shelved, ...]:
        """Every document that is there in ``place``, in the order in which they come in a prompt."""
        return tuple(
            Shelved(document, scope)
            for scope in place.scopes
            for document in self._documents(session, place.shelf(scope))
        )

    def active(self, session: ChatSession, place: Place) -> tuple[ChatDocument, ...]:
        """The documents that are switched on in ``place``, in order."""
        return tuple(one.document for one in self.shelved(session, place) if one.document.on)

    def change(self, session: ChatSession, place: Place, scope: str, change: Change) -> ChatSession:
        """The session after ``change`` was made to the documents of ``scope``, wherever they are kept."""
        shelf = place.shelf(scope)
        if self._store is not None and shelf.stored:
            self._store.change(shelf, change)
            return session
        return session.with_documents(shelf, change(session.documents.get(shelf, ())))

    def _documents(self, session: ChatSession, shelf: Shelf) -> tuple[ChatDocument, ...]:
        if self._store is not None and shelf.stored:
            return self._store.read(shelf)
        return session.documents.get(shelf, ())
