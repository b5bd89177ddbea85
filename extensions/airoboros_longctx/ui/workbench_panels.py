"""The workbench's page as the panels see it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..core.documents.chat_session import ChatSession
from ..core.documents.place import Place
from ..core.documents.shelves import DocumentShelves
from ..core.replies.source_check import SentDocument
from ..core.settings import Settings
from ..core.token_estimate import ESTIMATE_ID, estimate_tokens
from ..prompt_service import ChatTurn, PageRequest, PromptService
from ..service import LongContextService
from .checking.running import CheckRuns
from .workbench_conversation import turns_of
from .workbench_model_field import ModelField


class WorkbenchActions(Protocol):
    """What a person can do on the page."""

    service: LongContextService
    prompts: PromptService
    settings: Settings
    shelves: DocumentShelves
    place: Place
    checks: CheckRuns
    recipes_folder: Path

    def model_field(self) -> ModelField: ...
    def loaded_folder(self) -> str | None: ...
    def load(self, folder: str) -> None: ...
    def plainformat_separator(self) -> str | None: ...
    def greedy_reply(self, prompt: str, reply_tokens: int, stopping: threading.Event) -> Generator[str, None, None]: ...
    def turn(self, history: Sequence[tuple[str, str]], reply_tokens: int) -> ChatTurn | None: ...
    def prompt(
        self, question: str, history: Sequence[tuple[str, str]], reply_tokens: int, session: ChatSession | None = None
    ) -> str: ...
    def reply(
        self,
        question: str,
        history: Sequence[tuple[str, str]],
        max_new_tokens: int,
        temperature: float,
        stopping: threading.Event,
        session: ChatSession | None = None,
        sent: list[SentDocument] | None = None,
    ) -> Iterator[str]: ...


class WorkbenchPanelHost:
    """The workbench's page as a ``PanelHost``. ``events`` are those after which it is another page, its load first."""

    has_attachments = False
    one_person = True
    web_is_off = "To allow it, start the workbench with --documents-from-web."

    def __init__(self, workbench: WorkbenchActions, session: Any, fields: Sequence[Any], events: Sequence[Any]) -> None:
        self._workbench = workbench
        self._fields = list(fields)
        self._events = list(events)
        self.session = session

    def inputs(self) -> Sequence[Any]:
        """The message, the conversation and the longest reply."""
        return self._fields

    def request(self, session: ChatSession, values: Sequence[Any]) -> PageRequest:
        question, conversation, reply_tokens = values
        turn = self._workbench.turn(turns_of(conversation), int(reply_tokens))
        count, counter = (turn.count_tokens, turn.tokenizer_id) if turn else (estimate_tokens, ESTIMATE_ID)
        estimated = counter == ESTIMATE_ID
        return PageRequest(self._workbench.place, question or "", turn, int(reply_tokens), count, estimated, counter)

    def prompt(self, session: ChatSession, values: Sequence[Any]) -> str:
        question, conversation, reply_tokens = values
        return self._workbench.prompt(question or "", turns_of(conversation), int(reply_tokens), session)

    def documents_blocked(self) -> str:
        return ""

    def plainformat_separator(self) -> str | None:
        return self._workbench.plainformat_separator()

    def chat_events(self) -> Sequence[Any]:
        return self._events

    def typing_field(self) -> Any:
        return self._fields[0]

    def open_event(self) -> Any:
        return self._events[0]

    def reply(self, prompt: str, reply_tokens: int, stopping: threading.Event) -> Generator[str, None, None]:
        return self._workbench.greedy_reply(prompt, reply_tokens, stopping)

    def last_reply(self, values: Sequence[Any]) -> str:
        turns = turns_of(values[1])
        return turns[-1][1] if turns else ""
