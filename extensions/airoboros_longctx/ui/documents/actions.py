"""What a person does with the documents of a page: each action gives the session that is right afterwards.

An action names its document by id and is done in the page's own place alone: the id of a document that is not there
is refused, so no page reaches another one's documents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...core.documents.chat_session import ChatDocument, ChatSession
from ...core.documents.place import Place, Shelf
from ...core.documents.shelves import DocumentShelves, Shelved
from ...core.errors import AiroborosLongctxError
from ...core.foreign_text import quoted
from ...core.prompts.closed_context import Document, validate_documents

#: The longest text that is taken from a page's form, in characters.
MOST_CHARACTERS = 4 << 20
#: The most documents of one scope: a longer list helps nobody, and holds up the page.
MOST_DOCUMENTS = 500
#: The most text of one scope: each prompt and each look at the panel has all of it in memory.
MOST_CHARACTERS_KEPT = 100_000_000


class DocumentActionError(AiroborosLongctxError):
    """An action that cannot be done, said for the person who asked for it."""


@dataclass(frozen=True)
class Form:
    """The fields of the editor. ``metadata`` has a pair ``key: value`` on each line."""

    title: str = ""
    metadata: str = ""
    text: str = ""


@dataclass(frozen=True)
class Removed:
    """A document that was taken off ``shelf``, where it had ``position`` (from 0)."""

    document: ChatDocument
    shelf: Shelf
    position: int


def document_of(form: Form, most_characters: int = MOST_CHARACTERS) -> ChatDocument:
    """The form's document. Raises an error with a sentence where it could not be put into the format."""
    if len(form.text) > most_characters:
        raise DocumentActionError(
            f"The text has {len(form.text)} characters; at most {most_characters} are taken. Paste the part you need."
        )
    if not form.text.strip():
        raise DocumentActionError("The document has no text; paste some first.")
    document = ChatDocument(" ".join(form.title.split()), form.text, _pairs(form.metadata))
    validate_documents([Document(document.text, document.metadata)])
    return document


def form_of(document: ChatDocument) -> Form:
    return Form(document.title, "\n".join(f"{key}: {value}" for key, value in document.metadata), document.text)


def _pairs(lines: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for line in lines.splitlines():
        if not line.strip():
            continue
        key, colon, value = line.partition(":")
        if not colon or not key.strip():
            raise DocumentActionError(
                f"The metadata line {quoted(line, 60)!r} is no pair; a line such as url: https://web.site is needed."
            )
        pairs.append((key.strip(), value.strip()))
    return tuple(pairs)


class DocumentActions:
    """The actions on the documents that ``session`` has in ``place``."""

    def __init__(self, shelves: DocumentShelves, session: ChatSession, place: Place) -> None:
        self._shelves = shelves
        self._session = session
        self._place = place

    def there(self) -> tuple[Shelved, ...]:
        """Every document of the page, in the order in which they come in a prompt."""
        return self._shelves.shelved(self._session, self._place)

    def found(self, wanted: str) -> Shelved:
        """The document with this id. DocumentActionError where the page has none."""
        found = next((one for one in self.there() if one.document.id == wanted), None)
        if found is None:
            raise DocumentActionError("That document is not in this chat any more; the list shows those that are.")
        return found

    def add(self, scope: str, *documents: ChatDocument) -> ChatSession:
        """The documents at the end of ``scope``."""
        return self._changed(scope, lambda before: _with_more(before, documents))

    def save(self, wanted: str, form: Form) -> ChatSession:
        """The form's content in the document's place, with its id and switch; a text may be as long as it was."""
        found = self.found(wanted)
        scope, saved = found.scope, document_of(form, max(MOST_CHARACTERS, len(found.document.text)))
        return self._changed(
            scope,
            lambda before: tuple(replace(saved, id=one.id, on=one.on) if one.id == wanted else one for one in before),
        )

    def switch(self, wanted: str, on: bool) -> ChatSession:
        return self._changed(
            self.found(wanted).scope,
            lambda before: tuple(replace(one, on=on) if one.id == wanted else one for one in before),
        )

    def move(self, wanted: str, by: int) -> ChatSession:
        """``by`` places down, or up where it is below 0, within the document's scope."""

        def moved(before: tuple[ChatDocument, ...]) -> tuple[ChatDocument, ...]:
            documents = list(before)
            row = next((number for number, one in enumerate(documents) if one.id == wanted), None)
            if row is None:
                return before
            documents.insert(min(max(0, row + by), len(documents) - 1), documents.pop(row))
            return tuple(documents)

        return self._changed(self.found(wanted).scope, moved)

    def rescope(self, wanted: str, scope: str) -> ChatSession:
        """The document at the end of another scope. It is there first and gone from the old one afterwards.

        Where it was there already, as after a move that another page made or that broke off, it does not come twice.
        """
        document = self.found(wanted).document
        scopes = [one.scope for one in self.there() if one.document.id == wanted]
        if scopes == [scope]:
            return self._session
        session = self._changed(
            scope,
            lambda before: before if any(one.id == wanted for one in before) else _with_more(before, [document]),
        )
        for old in scopes:
            if old != scope:
                session = self._shelves.change(session, self._place, old, _without(wanted))
        return session

    def remove(self, wanted: str) -> tuple[ChatSession, Removed]:
        found = self.found(wanted)
        same_scope = [one.document.id for one in self.there() if one.scope == found.scope]
        removed = Removed(found.document, self._place.shelf(found.scope), same_scope.index(wanted))
        return self._changed(found.scope, _without(wanted)), removed

    def undo(self, removed: Removed | None) -> ChatSession:
        """The removed document where it was."""
        if removed is None:
            raise DocumentActionError("There is nothing to take back.")
        scope = removed.shelf.scope
        if scope not in self._place.scopes or self._place.shelf(scope) != removed.shelf:
            raise DocumentActionError("That document was removed in another chat; open that chat to take it back.")

        def again(before: tuple[ChatDocument, ...]) -> tuple[ChatDocument, ...]:
            if any(one.id == removed.document.id for one in before):
                return before
            return (*before[: removed.position], removed.document, *before[removed.position :])

        return self._changed(scope, again)

    def _changed(
        self, scope: str, change: Callable[[tuple[ChatDocument, ...]], tuple[ChatDocument, ...]]
    ) -> ChatSession:
        if scope not in self._place.scopes:
            raise DocumentActionError("Documents of this page cannot belong there.")
        return self._shelves.change(self._session, self._place, scope, change)


def _with_more(before: tuple[ChatDocument, ...], more: Sequence[ChatDocument]) -> tuple[ChatDocument, ...]:
    """``more`` after what was there ``before``. DocumentActionError where that is too much for one place."""
    if len(before) + len(more) > MOST_DOCUMENTS:
        raise DocumentActionError(
            f"There are {len(before)} documents and {len(more)} came; at most {MOST_DOCUMENTS} are kept "
            "in one place. Remove some first."
        )
    characters = sum(len(one.text) for one in (*before, *more))
    if characters > MOST_CHARACTERS_KEPT:
        raise DocumentActionError(
            f"The documents would have {characters} characters together; at most {MOST_CHARACTERS_KEPT} are kept "
            "in one place. Remove some first."
        )
    return (*before, *more)


def _without(wanted: str) -> Callable[[tuple[ChatDocument, ...]], tuple[ChatDocument, ...]]:
    return lambda before: tuple(one for one in before if one.id != wanted)
