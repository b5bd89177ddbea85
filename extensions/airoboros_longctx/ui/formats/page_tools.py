"""The tools that a plan of this page may call: its documents, the loaded model, and what the settings allow."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from ...core.documents.chat_session import ChatDocument, ChatSession
from ...core.documents.shelves import DocumentShelves
from ...core.settings import Settings
from ...documents.web_page import page_text
from ...plans.available_tools import AvailableTools, available_tools
from ...plans.runnable_tool import MODEL_SECONDS, whole_reply
from ..panel_host import PanelHost
from .asked_alone import prompt_alone
from .filled_form import documents_of


class PageTools:
    """As the page was when the plan was run."""

    def __init__(
        self, host: PanelHost, shelves: DocumentShelves, settings: Settings, session: ChatSession, values: Sequence[Any]
    ) -> None:
        self._host = host
        self._shelves = shelves
        self._settings = settings
        self._session = session
        self._request = host.request(session, values)

    def available(self) -> AvailableTools:
        ask = None if self._request.turn is None else self.ask
        fetch = page_text if self._settings.plans_from_web else None
        return available_tools(ask, self._documents, fetch, max(MODEL_SECONDS, self._settings.plan_step_seconds))

    def declarations(self) -> str:
        """The tools as a form asks for them, a line for each."""
        return "\n".join(f"{tool.name}: {tool.description}" for tool in self.available().tools)

    def ask(self, message: str, stopping: threading.Event) -> str:
        """The loaded model's reply to ``message``; what there is once ``stopping`` is set.

        Raises AiroborosLongctxError where it does not fit.
        """
        prompt = prompt_alone(self._request, message)
        return whole_reply(self._host.reply(prompt, self._request.reply_tokens, stopping), stopping)

    def _documents(self) -> Sequence[ChatDocument]:
        return documents_of(self._shelves, self._session, self._request)
