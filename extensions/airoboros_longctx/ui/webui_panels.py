"""The panels in the webui's chat tab: status line, Documents, PLAINFORMAT, Formats, the check."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..core.documents.chat_session import ChatSession
from ..core.documents.shelves import DocumentShelves
from ..core.settings import Settings
from ..prompt_service import PageRequest, PromptService
from ..service import LongContextService
from .checking.panel import create_check_panel
from .checking.running import CheckRuns
from .documents.panel import create_documents_panel
from .formats.panel import create_formats_panel
from .gradio_versions import quiet
from .status_panel import create_status_panel


class WebuiPage(Protocol):
    """The part of the webui's page that the panels use; see ``host/webui/chat/page.py``."""

    @property
    def ready(self) -> bool: ...
    @property
    def has_attachments(self) -> bool: ...
    @property
    def one_person(self) -> bool: ...
    @property
    def session(self) -> Any: ...
    def inputs(self) -> Sequence[Any]: ...
    def request(self, session: ChatSession, values: Sequence[Any]) -> PageRequest: ...
    def prompt(self, session: ChatSession, values: Sequence[Any]) -> str: ...
    def documents_blocked(self) -> str: ...
    def plainformat_separator(self) -> str | None: ...
    def chat_events(self) -> list[Any]: ...
    def typing_field(self) -> Any: ...
    def open_event(self) -> Any: ...
    def reply(self, prompt: str, reply_tokens: int, stopping: threading.Event) -> Generator[str, None, None]: ...
    def last_reply(self, values: Sequence[Any]) -> str: ...
    def keep_model_mark(self, mark: Any) -> None: ...
    def model_mark(self) -> str: ...
    def model_fields(self) -> list[Any]: ...
    def model_values(self) -> list[Any]: ...


class WebuiPanelHost:
    """The webui's page as a ``PanelHost``."""

    web_is_off = (
        "To allow it, put airoboros_longctx-documents_from_web: true into the webui's settings.yaml and start it again."
    )

    def __init__(self, page: WebuiPage) -> None:
        self.session = page.session
        self.one_person = page.one_person
        self.inputs = page.inputs
        self.request = page.request
        self.prompt = page.prompt
        self.documents_blocked = page.documents_blocked
        self.plainformat_separator = page.plainformat_separator
        self.has_attachments = page.has_attachments
        self.chat_events = page.chat_events
        self.typing_field = page.typing_field
        self.open_event = page.open_event
        self.reply = page.reply
        self.last_reply = page.last_reply


def create_webui_panels(
    service: LongContextService,
    prompts: PromptService,
    shelves: DocumentShelves,
    page: WebuiPage,
    settings: Settings,
    checks: CheckRuns,
    recipes_folder: Path | None,
) -> None:
    """Draw the panels inside the webui's page."""
    import gradio as gr

    mark = gr.Textbox(page.model_mark(), visible=False)
    page.keep_model_mark(mark)
    create_status_panel(service, settings.status_refresh_seconds, mark, page.model_mark)
    _follow_the_model(mark, page)
    if page.ready:
        panel_host = WebuiPanelHost(page)
        create_documents_panel(panel_host, prompts, shelves, settings)
        create_formats_panel(panel_host, shelves, settings, recipes_folder)
    create_check_panel(checks, [mark.change, *([page.open_event()] if page.ready else [])])


def _follow_the_model(mark: Any, page: WebuiPage) -> None:
    """When another model was loaded (by the API, by another page), the page's own fields say that model's window and
    template: they go with every request of the page."""
    import gradio as gr

    fields, followed = page.model_fields(), gr.State(page.model_mark())

    def on_model(now: str, before: str) -> list[Any]:
        unchanged = [gr.update() for _ in fields]
        return [now, *(unchanged if now in ("", before) else page.model_values())]

    mark.change(on_model, [mark, followed], [followed, *fields], **quiet(mark.change))
