"""What one open page knows: the documents of each chat, and the ticks. Plain, unchanging data.

It lives in the page's own state and travels with each request: nothing of it is in a module or in ``params``, so
nobody's documents or ticks reach anyone else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .closed_context import Document

#: The chat of a host that does not say which chat is open: the page.
THIS_PAGE = ""


@dataclass(frozen=True)
class ChatDocument:
    """A document as its owner sees it. ``metadata`` are the pairs between BEGINCONTEXT and ENDCONTEXT."""

    title: str
    text: str
    metadata: tuple[tuple[str, str], ...] = ()
    on: bool = True

    def block(self) -> Document:
        """The document as the model sees it: its title is its first pair, unless a pair of its own says it."""
        named = any(key.strip().lower() == "title" for key, _ in self.metadata)
        title = (("title", self.title),) if self.title.strip() and not named else ()
        return Document(self.text, title + self.metadata)


@dataclass(frozen=True)
class DocumentOptions:
    """The ticks of the Documents panel. ``temperature`` counts while documents are on and ``own_sampling`` is."""

    only_from_documents: bool = True
    name_sources: bool = False
    without_history: bool = True
    own_sampling: bool = True
    temperature: float = 0.5


@dataclass(frozen=True)
class ChatSession:
    """One page. ``documents`` maps a chat, as the host names it, to its documents in order."""

    options: DocumentOptions = field(default_factory=DocumentOptions)
    plainformat: bool = False
    documents: Mapping[str, tuple[ChatDocument, ...]] = field(default_factory=dict)

    def documents_of(self, chat: str) -> tuple[ChatDocument, ...]:
        return self.documents.get(chat, ())

    def active_documents(self, chat: str) -> tuple[Document, ...]:
        """The blocks of the documents that are switched on in ``chat``, in order."""
        return tuple(document.block() for document in self.documents_of(chat) if document.on)

    def with_documents(self, chat: str, documents: Iterable[ChatDocument]) -> ChatSession:
        kept = {name: there for name, there in self.documents.items() if name != chat}
        mine = tuple(documents)
        return replace(self, documents={**kept, chat: mine} if mine else kept)
