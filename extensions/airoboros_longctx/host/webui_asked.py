"""What one request of the webui asks of us: documents and PLAINFORMAT, by the page's state or inline in the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..core.documents.chat_session import ChatDocument, ChatSession
from ..core.documents.place import Place
from ..core.documents.shelves import DocumentShelves
from ..core.errors import AiroborosLongctxError
from ..core.prompts.closed_context import Document
from ..core.prompts.document_options import SHORTEN, DocumentOptions
from ..core.settings import Settings
from .webui_attachments import attached_documents

#: The key of our page state among the webui's own; a state without it is an API request.
SESSION_KEY = "airoboros_longctx"
#: True in a state whose message is sent with files to be attached.
ATTACHING_KEY = "airoboros_longctx-attaching"


class LoadedStyle(Protocol):
    """How prompts for the loaded model are written."""

    def knows_closed_context(self) -> bool: ...

    def plainformat_separator(self) -> str | None: ...
    def stop_strings(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Asked:
    """What one request asks for beyond the webui's own. ``page`` is False for an API request.

    ``attached`` are those of the ``documents`` that the webui attached to messages. ``attaches``: it is about to attach
    more to the message that is sent.
    """

    documents: tuple[ChatDocument, ...] = ()
    attached: tuple[ChatDocument, ...] = ()
    attaches: bool = False
    plainformat: bool = False
    options: DocumentOptions = field(default_factory=DocumentOptions)
    page: bool = False

    @property
    def documents_are_on(self) -> bool:
        return bool(self.documents) or self.attaches

    @property
    def replaces_attached(self) -> bool:
        """What the webui attached to messages is among the documents, and must not come twice."""
        return bool(self.documents) and self.options.attachments

    def blocks(self) -> tuple[Document, ...]:
        return tuple(document.block() for document in self.documents)


class WebuiAsking:
    """Reads what is asked out of a webui's ``state``. ``place`` says where its page is."""

    def __init__(
        self,
        style: LoadedStyle,
        settings: Callable[[], Settings],
        shelves: DocumentShelves,
        place: Callable[[dict[str, Any], ChatSession], Place],
    ) -> None:
        self._style = style
        self._settings = settings
        self._shelves = shelves
        self._place = place

    def asked(self, state: dict[str, Any], arguments: dict[str, Any] | None = None) -> Asked:
        """``arguments`` are those of the prompt function, where it is called.

        Raises AiroborosLongctxError where documents cannot be read from the store, or where an API request carries some
        that cannot be understood.
        """
        if SESSION_KEY in state:
            return self._asked_by_page(state, arguments or {})
        from ..core.documents.inline_documents import inline_request  # here, so that the webui starts without it

        messages = (state.get("history") or {}).get("messages")
        inline = inline_request(messages, self._settings().api_document_characters) if messages else None
        if inline is None:
            return Asked()
        options = DocumentOptions(only_from_documents=False, own_sampling=False, when_too_long=SHORTEN)
        documents = tuple(ChatDocument("", one.text, one.metadata) for one in inline.documents)
        return Asked(documents, plainformat=inline.plainformat, options=options)

    def _asked_by_page(self, state: dict[str, Any], arguments: dict[str, Any]) -> Asked:
        session = state[SESSION_KEY] or ChatSession(self._settings().document_options)
        documents = self._shelves.active(session, self._place(state, session))
        attached: tuple[ChatDocument, ...] = ()
        attaches = False
        asks_them = self._style.knows_closed_context() and not session.plainformat
        if session.options.attachments and (documents or asks_them):
            history = arguments.get("history", state.get("history") or {})
            rows = len(history.get("internal", ())) + (not arguments.get("_continue", False))
            texts = {document.text for document in documents}
            past = bool(state.get("include_past_attachments", True))
            attached = tuple(one for one in attached_documents(history, rows, past) if one.text not in texts)
            attaches = bool(state.get(ATTACHING_KEY))
        documents += attached
        plainformat = session.plainformat and not documents and not attaches
        return Asked(documents, attached, attaches, plainformat, session.options, page=True)

    def asked_or_nothing(self, state: dict[str, Any]) -> Asked:
        """As ``asked``, for what runs beside the prompt."""
        try:
            return self.asked(state)
        except AiroborosLongctxError:  # said where the prompt is built
            return Asked(page=SESSION_KEY in state)
