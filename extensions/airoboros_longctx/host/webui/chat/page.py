"""The webui's page: a session of ours in each page's own state, and what the panels ask of the page.

The webui gathers its fields into a ``state`` before every action. Our session is one more such field, so it reaches
exactly the prompts of its own page; nothing of it is kept in a module.
"""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any

from ....core.documents.chat_session import ChatSession
from ....core.errors import AiroborosLongctxError
from ....core.token_estimate import ESTIMATE_ID, estimate_tokens
from ....prompt_service import PageRequest
from .asked import SESSION_KEY
from .generating import reply_to
from .place import has_one_person
from .prompts import RefusedPrompt, WebuiPrompts

#: Changes with the loaded model: the name of the hidden field among the webui's own.
MODEL_MARK = "airoboros_longctx-model"


class WebuiPage:
    """The page as it is being built. ``model_values`` are what its fields should say of the loaded model;
    ``new_state`` makes a ``gr.State``."""

    def __init__(
        self,
        prompts: WebuiPrompts,
        blocked: Callable[[], str],
        model_values: Callable[[], dict[str, Any]],
        new_state: Callable[[], Any],
    ) -> None:
        from modules import shared

        self._model_values = model_values
        self._new_state = new_state
        self._shared = shared
        self._prompts = prompts
        self._blocked = blocked

    # -- the session travels with the webui's own fields -----------------------------------------------------------

    def create_event_handlers(self, original: Callable[..., Any], *arguments: Any) -> Any:
        """Before the webui connects its events: our session becomes the last of the fields they carry."""
        self._shared.gradio[SESSION_KEY] = self._new_state()
        if SESSION_KEY not in self._shared.input_elements:
            self._shared.input_elements = [*self._shared.input_elements, SESSION_KEY]
        return original(*arguments)

    def gather_interface_values(self, original: Callable[..., Any], *values: Any) -> Any:
        """The webui's own gathering, and our session in a copy: what it keeps for other pages never holds ours."""
        if SESSION_KEY not in self._shared.input_elements or len(values) != len(self._shared.input_elements):
            return original(*values)
        return {**original(*values[:-1]), SESSION_KEY: values[-1]}

    # -- PanelHost -----------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """False in a release whose events could not be reached."""
        return SESSION_KEY in self._shared.gradio

    @property
    def session(self) -> Any:
        return self._shared.gradio[SESSION_KEY]

    def _fields(self) -> list[str]:
        from modules import ui

        loaders = set(ui.list_model_elements())
        named = [name for name in ui.list_interface_input_elements() if name not in loaders]
        return [name for name in named if name in self._shared.gradio and not name.startswith("image_")]

    def inputs(self) -> Sequence[Any]:
        return [self._shared.gradio[name] for name in self._fields()]

    def _state(self, values: Sequence[Any]) -> tuple[dict[str, Any], str]:
        """The page's fields as the webui's state, and what is typed (newer webuis keep files beside the text)."""
        state = dict(zip(self._fields(), values, strict=True))
        typed = state.get("textbox") or ""
        return state, str(typed.get("text") or "") if isinstance(typed, dict) else str(typed)

    def request(self, session: ChatSession, values: Sequence[Any]) -> PageRequest:
        from modules import chat

        state, question = self._state(values)
        place = self._prompts.place(state, session)
        reply_tokens = int(state.get("max_new_tokens") or 0)
        if self._shared.tokenizer is None or not state.get("history"):
            return PageRequest(place, question, None, reply_tokens, estimate_tokens, True, ESTIMATE_ID)
        build = getattr(chat.generate_chat_prompt, "__wrapped__", chat.generate_chat_prompt)
        asked = self._prompts.asked({**state, SESSION_KEY: session})
        turn = self._prompts.turn(build, state, {}, asked.replaces_attached)
        count, counter_id = turn.count_tokens, turn.tokenizer_id
        return PageRequest(place, question, turn, reply_tokens, count, False, counter_id, asked.attached)

    def prompt(self, session: ChatSession, values: Sequence[Any]) -> str:
        from modules import chat

        if self._shared.tokenizer is None:
            raise AiroborosLongctxError("No model is loaded; load one to see the exact prompt.")
        state, question = self._state(values)
        prompt = chat.generate_chat_prompt(question, {**state, SESSION_KEY: session})
        if isinstance(prompt, RefusedPrompt):
            raise AiroborosLongctxError(prompt.sentence)
        return str(prompt)

    # -- a model that was changed elsewhere (API, another page) ---------------------------------------------------

    def keep_model_mark(self, mark: Any) -> None:
        """Take the hidden field whose value changes with the loaded model."""
        self._shared.gradio[MODEL_MARK] = mark

    def model_mark(self) -> str:
        """Names the loaded model, anew at each load."""
        return f"{self._shared.model_name} {id(self._shared.model)}" if self._shared.model is not None else ""

    def model_fields(self) -> list[Any]:
        """The fields that say a model's window and template."""
        return [self._shared.gradio[name] for name in self._model_values() if name in self._shared.gradio]

    def model_values(self) -> list[Any]:
        return [value for name, value in self._model_values().items() if name in self._shared.gradio]

    @property
    def has_attachments(self) -> bool:
        """True in webuis that attach files to messages."""
        from modules import chat

        return hasattr(chat, "add_message_attachment")

    @property
    def one_person(self) -> bool:
        return has_one_person(self._shared.args)

    # -- what the panels ask ----------------------------------------------------------------------------------------

    def documents_blocked(self) -> str:
        return self._blocked()

    def plainformat_separator(self) -> str | None:
        return self._prompts.plainformat_separator()

    def reply(self, prompt: str, reply_tokens: int, stopping: threading.Event) -> Generator[str, None, None]:
        return reply_to(prompt, reply_tokens, self._prompts.stop_strings(), stopping)

    def last_reply(self, values: Sequence[Any]) -> str:
        history = self._state(values)[0].get("history") or {}
        rows = history.get("internal") or [["", ""]]
        return html.unescape(str(rows[-1][1]))

    def chat_events(self) -> list[Any]:
        """The events after which another chat may be open, another model loaded or another window set."""
        shown = self._shared.gradio
        names = ("unique_id", "mode", "character_menu", "truncation_length", "max_new_tokens", MODEL_MARK)
        return [*(shown[name].change for name in names if name in shown), shown["interface"].load]

    def open_event(self) -> Any:
        """The event of a page that was opened."""
        return self._shared.gradio["interface"].load

    def typing_field(self) -> Any:
        """The field in which the question is typed."""
        return self._shared.gradio["textbox"]


def owner_of_the_prompt(our_name: str) -> str:
    """Another extension that builds the chat prompt by itself: then documents of ours would be lost silently."""
    from modules import extensions

    for extension, name in extensions.iterator():
        if name != our_name and hasattr(extension, "custom_generate_chat_prompt"):
            return str(name)
    return ""
