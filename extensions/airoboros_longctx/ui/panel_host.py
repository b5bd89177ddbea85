"""What the panels need from the page they are drawn in: the webui's chat tab, or the workbench."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from typing import Any, Protocol

from ..core.documents.chat_session import ChatSession
from ..prompt_service import PageRequest


class PanelHost(Protocol):
    """One page. ``inputs`` are the components whose values ``request`` reads, in this order."""

    #: The page's ``gr.State`` that holds its ChatSession (None until something was changed).
    session: Any
    #: True where files can be attached to messages.
    has_attachments: bool
    #: False where several people share the program, each on a page of their own.
    one_person: bool
    #: How to allow web pages, in a sentence.
    web_is_off: str

    def inputs(self) -> Sequence[Any]: ...

    def request(self, session: ChatSession, values: Sequence[Any]) -> PageRequest: ...

    def prompt(self, session: ChatSession, values: Sequence[Any]) -> str:
        """The exact prompt that sending now would give. AiroborosLongctxError where it would be refused."""

    def documents_blocked(self) -> str:
        """Why documents cannot be added on this page; "" where they can."""

    def plainformat_separator(self) -> str | None:
        """The separator of the loaded model's generation; None where it does not know PLAINFORMAT."""

    def chat_events(self) -> Sequence[Any]:
        """The events after which another chat may be open, or another model or window in use; the page's load too."""

    def typing_field(self) -> Any:
        """The field in which the question is typed."""

    def open_event(self) -> Any:
        """The event of a page that was opened."""

    def reply(self, prompt: str, reply_tokens: int, stopping: threading.Event) -> Generator[str, None, None]:
        """The loaded model's greedy reply to ``prompt``, outside the chat, as it grows; all of it at every step.

        It ends soon after ``stopping`` is set, or when the generator is closed.
        """

    def last_reply(self, values: Sequence[Any]) -> str:
        """The last reply in the chat; "" where there is none."""
