"""What a person does with the documents of a chat: each action gives a new session, and the row that is chosen then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..core.chat_session import ChatDocument, ChatSession
from ..core.closed_context import ClosedContext, Document, validate
from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted

#: The longest text that is taken from a page, as long as the largest file.
MOST_CHARACTERS = 4 << 20


class DocumentActionError(AiroborosLongctxError):
    """An action that cannot be done, said for the person who asked for it."""


@dataclass(frozen=True)
class Form:
    """The fields of the editor. ``metadata`` has a pair ``key: value`` on each line."""

    title: str = ""
    metadata: str = ""
    text: str = ""


def document_of(form: Form) -> ChatDocument:
    """The form's document. Raises an error with a sentence where it could not be put into the format."""
    if len(form.text) > MOST_CHARACTERS:
        raise DocumentActionError(
            f"The text has {len(form.text)} characters; at most {MOST_CHARACTERS} are taken. Paste the part you need."
        )
    if not form.text.strip():
        raise DocumentActionError("The document has no text; paste some first.")
    document = ChatDocument(" ".join(form.title.split()), form.text, _pairs(form.metadata))
    validate(ClosedContext((Document(document.text, document.metadata),), "-"))
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


def add(session: ChatSession, chat: str, *documents: ChatDocument) -> ChatSession:
    return session.with_documents(chat, (*session.documents_of(chat), *documents))


def save(session: ChatSession, chat: str, row: int | None, form: Form) -> ChatSession:
    documents, row = _chosen(session, chat, row)
    documents[row] = replace(document_of(form), on=documents[row].on)
    return session.with_documents(chat, documents)


def switch(session: ChatSession, chat: str, row: int | None) -> ChatSession:
    documents, row = _chosen(session, chat, row)
    documents[row] = replace(documents[row], on=not documents[row].on)
    return session.with_documents(chat, documents)


def move(session: ChatSession, chat: str, row: int | None, by: int) -> tuple[ChatSession, int]:
    documents, row = _chosen(session, chat, row)
    place = min(max(0, row + by), len(documents) - 1)
    documents.insert(place, documents.pop(row))
    return session.with_documents(chat, documents), place


def remove(session: ChatSession, chat: str, row: int | None) -> ChatSession:
    documents, row = _chosen(session, chat, row)
    del documents[row]
    return session.with_documents(chat, documents)


def take_over(session: ChatSession, chat: str) -> ChatSession:
    """The documents of the chat that had some last, also for ``chat``."""
    other = other_chat(session, chat)
    if other is None:
        raise DocumentActionError("No other chat of this page has documents.")
    return session.with_documents(chat, session.documents_of(other))


def other_chat(session: ChatSession, chat: str) -> str | None:
    """Another chat of this page with documents, while ``chat`` has none."""
    if session.documents_of(chat):
        return None
    return next(reversed([other for other in session.documents if other != chat]), None)


def _chosen(session: ChatSession, chat: str, row: int | None) -> tuple[list[ChatDocument], int]:
    documents = list(session.documents_of(chat))
    if row is None or not 0 <= row < len(documents):
        raise DocumentActionError("No document is chosen; choose one in the list first.")
    return documents, row
