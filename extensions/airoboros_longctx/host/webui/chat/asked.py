"""What one request of the webui asks of us: documents and PLAINFORMAT, by the page's state or inline in the API, and a
call of one of the tools of a request of the API.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ....core.documents.chat_session import ChatDocument, ChatSession
from ....core.documents.place import Place
from ....core.documents.shelves import DocumentShelves
from ....core.errors import AiroborosLongctxError
from ....core.prompts.closed_context import Document
from ....core.prompts.document_options import SHORTEN, DocumentOptions
from ....core.settings import Settings
from .attachments import attached_documents

if TYPE_CHECKING:
    from ....core.formats.tool_request import ToolRequest

#: The key of our page state among the webui's own; a state without it is an API request.
SESSION_KEY = "airoboros_longctx"
#: True in a state whose message is sent with files to be attached.
ATTACHING_KEY = "airoboros_longctx-attaching"


class LoadedStyle(Protocol):
    """How prompts for the loaded model are written."""

    def knows_closed_context(self) -> bool: ...

    def plainformat_separator(self) -> str | None: ...
    def stop_strings(self) -> tuple[str, ...]: ...

    def why_no_tool_calls(self) -> str:
        """A sentence; "" where the model can be asked for a call and the webui would return it as one."""


@dataclass(frozen=True)
class Asked:
    """What one request asks for beyond the webui's own. ``page`` is False for an API request.

    ``attached`` are those of the ``documents`` that the webui attached to messages. ``attaches``: it is about to attach
    more to the message that is sent. ``tools``: the reply is to be a call, or the documents are results of tools.
    """

    documents: tuple[ChatDocument, ...] = ()
    attached: tuple[ChatDocument, ...] = ()
    attaches: bool = False
    plainformat: bool = False
    options: DocumentOptions = field(default_factory=DocumentOptions)
    page: bool = False
    tools: ToolRequest | None = None

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
        from ....core.documents.inline_documents import inline_request  # here, so that the webui starts without it

        messages = (state.get("history") or {}).get("messages")
        if not messages:
            return Asked()
        inline = inline_request(messages, self._settings().api_document_characters)
        tools = self._tools(messages, state, inline is not None, bool((arguments or {}).get("_continue")))
        if inline is None and tools is None:
            return Asked()
        options = DocumentOptions(only_from_documents=False, own_sampling=False, when_too_long=SHORTEN)
        blocks = inline.documents if inline is not None else tools.results if tools is not None else ()
        documents = tuple(ChatDocument("", one.text, one.metadata) for one in blocks)
        plainformat = inline is not None and inline.plainformat
        return Asked(documents, plainformat=plainformat, options=options, tools=tools)

    def _tools(self, messages: Any, state: dict[str, Any], inline: bool, continues: bool) -> ToolRequest | None:
        """What a request with ``tools``, or with results of them, asks where it opts in and the model can be asked."""
        from ....core.formats.errors import FormatError  # here, so that the webui starts without them
        from ....core.formats.tool_request import FIELD, ends_with_result, tool_request, wants_tools

        settings = self._settings()
        wanted, by_message = wants_tools(messages, settings.api_tools)
        tools, choice, most = state.get("tools"), state.get("tool_choice"), settings.api_document_characters
        if not wanted or not (tools or ends_with_result(messages)) or continues:
            return None
        why_not = self._style.why_no_tool_calls()
        if inline and not why_not:
            why_not = "It was sent together with documents or plainformat: send one of them."
        if why_not and by_message:
            raise FormatError(f"{FIELD} was asked for, and cannot be done. {why_not}")
        return None if why_not else tool_request(messages, tools, choice, most)

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
