"""The documents of a page, from the store and from the page itself; every change goes to where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..errors import AiroborosLongctxError
from ..ports import DocumentStore, StoredShelf
from .chat_session import ChatDocument, ChatSession, new_id
from .place import CHAT, Place, Shelf

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

    def problems(self, place: Place) -> tuple[str, ...]:
        """A sentence, for whoever is in ``place`` alone, for every document there that is damaged."""
        shelves = [place.shelf(scope) for scope in place.scopes]
        return tuple(
            problem
            for shelf in shelves
            if self._store is not None and shelf.stored
            for problem in self._store.problems(shelf)
        )

    # -- everything that is kept for a person ------------------------------------------------------------------------

    def stored_shelves(self, place: Place) -> tuple[StoredShelf, ...]:
        """Every shelf that is kept for the person of ``place``, in all their chats."""
        if self._store is None or place.person is None:
            return ()
        return self._store.shelves(place.person)

    def export(self, place: Place) -> bytes:
        """A zip of every document that is kept for the person of ``place``. AiroborosLongctxError where none is."""
        if self._store is None or place.person is None or not self.stored_shelves(place):
            raise AiroborosLongctxError("No documents of yours are stored; there is nothing to export.")
        return self._store.export(place.person)

    def forget(self, place: Place) -> None:
        """Delete everything that is kept for the person of ``place``, in all their chats."""
        mine = [one.shelf for one in self.stored_shelves(place)]
        if self._store is not None and mine:
            self._store.delete(mine)

    # -- a chat that its host renames, branches or deletes -------------------------------------------------------------

    def move_chat(self, installation: str, before: str, after: str) -> None:
        """What was kept for the chat ``before`` is kept for the chat ``after``, whoever it belongs to.

        Only what is there by then is taken away from ``before``: damaged documents stay where they are.
        """
        for shelf in self._of_chat(installation, before):
            if self._store is not None:
                moved = self._store.read(shelf)
                self._store.change(replace(shelf, chat=after), partial(_with_more, moved))
                self._store.change(shelf, partial(_without, {one.id for one in moved}))

    def copy_chat(self, installation: str, before: str, after: str) -> None:
        """What is kept for the chat ``before`` is kept for the chat ``after`` as well."""
        for shelf in self._of_chat(installation, before):
            if self._store is not None:
                copies = tuple(replace(one, id=new_id()) for one in self._store.read(shelf))
                self._store.change(replace(shelf, chat=after), partial(_with_more, copies))

    def forget_chat(self, installation: str, chat: str) -> None:
        """Delete what is kept for ``chat``."""
        mine = self._of_chat(installation, chat)
        if self._store is not None and mine:
            self._store.delete(mine)

    def _of_chat(self, installation: str, chat: str) -> list[Shelf]:
        stored = self._store.every_shelf() if self._store is not None else ()
        found = (one.shelf for one in stored)
        return [shelf for shelf in found if (shelf.scope, shelf.installation, shelf.chat) == (CHAT, installation, chat)]

    def _documents(self, session: ChatSession, shelf: Shelf) -> tuple[ChatDocument, ...]:
        if self._store is not None and shelf.stored:
            return self._store.read(shelf)
        return session.documents.get(shelf, ())


def _with_more(more: tuple[ChatDocument, ...], there: tuple[ChatDocument, ...]) -> tuple[ChatDocument, ...]:
    return (*there, *more)


def _without(ids: set[str], there: tuple[ChatDocument, ...]) -> tuple[ChatDocument, ...]:
    return tuple(one for one in there if one.id not in ids)
