"""What one open page knows: its ticks, who opened it, and documents that are stored nowhere. Plain, unchanging data.

It lives in the page's own state and travels with each request: nothing of it is in a module or in ``params``, so
nobody's documents or ticks reach anyone else.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..foreign_text import quoted
from ..prompts.closed_context import Document
from ..prompts.document_options import DocumentOptions
from .place import Shelf


def new_id() -> str:
    """An id that no other document has."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class ChatDocument:
    """A document as its owner sees it. ``metadata`` are the pairs between BEGINCONTEXT and ENDCONTEXT.

    ``id`` stays the same through every change; two documents that say the same are equal.
    """

    title: str
    text: str
    metadata: tuple[tuple[str, str], ...] = ()
    on: bool = True
    id: str = field(default_factory=new_id, compare=False)

    @property
    def name(self) -> str:
        """What a person calls it, as one printable line: its title, or how it begins."""
        return quoted(self.title, 80) or quoted(self.text, 40) or "untitled"

    def block(self) -> Document:
        """The document as the model sees it: its title is its first pair, unless a pair of its own says it."""
        named = any(key.strip().lower() == "title" for key, _ in self.metadata)
        title = (("title", self.title),) if self.title.strip() and not named else ()
        return Document(self.text, title + self.metadata)


@dataclass(frozen=True)
class ChatSession:
    """One page. ``person`` is the name that its host gives whoever opened it, None where it gives none.

    ``documents`` are those of shelves that are not stored.
    """

    options: DocumentOptions = field(default_factory=DocumentOptions)
    plainformat: bool = False
    person: str | None = None
    documents: Mapping[Shelf, tuple[ChatDocument, ...]] = field(default_factory=dict)

    def with_documents(self, shelf: Shelf, documents: Iterable[ChatDocument]) -> ChatSession:
        kept = {name: there for name, there in self.documents.items() if name != shelf}
        mine = tuple(documents)
        return replace(self, documents={**kept, shelf: mine} if mine else kept)
