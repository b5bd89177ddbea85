"""Asking in a form, reading the reply, running a plan: what the panel's buttons do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.documents.chat_session import ChatSession
from ...core.documents.shelves import DocumentShelves
from ...core.errors import AiroborosLongctxError
from ...core.formats.errors import FormatError
from ...core.formats.plan_steps import Plan
from ...core.settings import Settings
from ...format_service import Form
from ...prompt_service import PageRequest
from ..documents.exact_prompt import exact_prompt_html
from ..documents.messages import note_html, said_html, sentence_of
from ..panel_host import PanelHost
from .plan_html import plan_html
from .result_html import result_html, text_html
from .slots import MOST_SLOTS, values_of

_SLOTS = 2 * MOST_SLOTS
#: How long a page waits before it shows a plan's seconds again, while nothing else happens.
_LOOK_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Filled:
    """The form that is chosen with what was filled in, and the page around it."""

    form: Form
    values: dict[str, str]
    session: ChatSession | None = None
    page: Sequence[Any] = ()


class FormatAsking:
    """The handlers. Those that take their time yield [stopping, running, Stop, actions, plan actions, words, result];
    ``running`` is the page's plan: as it was read, or its run.
    """

    def __init__(
        self, host: PanelHost, shelves: DocumentShelves, settings: Settings, known_forms: Callable[[], dict[str, Form]]
    ) -> None:
        self._host = host
        self._shelves = shelves
        self._settings = settings
        self._forms = known_forms

    def on_show(self, *fields: Any) -> list[Any]:
        try:
            filled = self._filled(fields)
            return ["", exact_prompt_html(filled.form.message(filled.values))]
        except Exception as error:
            return [said_html(sentence_of(error, "The message could not be made"), True), ""]

    def on_put(self, *fields: Any) -> list[Any]:
        """[the chat's field, words]"""
        import gradio as gr

        try:
            filled = self._filled(fields)
            message = filled.form.message(filled.values)
        except Exception as error:
            return [gr.update(), said_html(sentence_of(error, "The message could not be made"), True)]
        with_files = type(self._host.typing_field()).__name__ == "MultimodalTextbox"
        typed = {"text": message, "files": []} if with_files else message
        return [gr.update(value=typed), said_html("The message stands in the chat's field; send it there.")]

    def on_ask(self, *fields: Any) -> Iterator[list[Any]]:
        stopping, reply = threading.Event(), ""
        yield self._busy(stopping, note_html("Asking …"), "")
        try:
            filled = self._filled(fields)
            prompt, tokens = self._prompt(filled, filled.form.message(filled.values))
            for reply in self._host.reply(prompt, tokens, stopping):
                yield self._busy(stopping, note_html("The reply grows."), text_html(reply))
        except Exception as error:
            yield self._idle(said_html(sentence_of(error, "The question failed"), True), text_html(reply))
            return
        if stopping.is_set():
            yield self._idle(said_html("Stopped."), text_html(reply))
            return
        yield self._read(filled, reply)

    def on_read(self, *fields: Any) -> Iterator[list[Any]]:
        """The chat's last reply, read as one to the chosen form."""
        try:
            filled = self._filled(fields)
            reply = self._host.last_reply(filled.page)
            if not reply:
                raise FormatError("The chat has no reply yet; put the message into the chat and send it first.")
        except Exception as error:
            yield self._idle(said_html(sentence_of(error, "The chat's reply could not be read"), True), "")
            return
        yield self._read(filled, reply)

    def _read(self, filled: Filled, reply: str) -> list[Any]:
        try:
            result = filled.form.result(filled.values, reply)
        except Exception as error:
            sentence = sentence_of(error, "The reply could not be read")
            return self._idle(said_html(sentence, True), text_html(reply))
        if result is None:
            return self._idle("", text_html(reply))
        shown = f"{result_html(result)}<details><summary>The reply itself</summary>{text_html(reply)}</details>"
        return self._idle("", shown, result if isinstance(result, Plan) else None)

    # -- what they share ------------------------------------------------------------------------------------------------

    def _filled(self, fields: Sequence[Any]) -> Filled:
        title, *rest = fields
        form = self._forms().get(title or "")
        if form is None:
            raise FormatError("No form is chosen; choose one first.")
        if len(form.fields) > MOST_SLOTS:
            raise FormatError(
                f"{form.title} has {len(form.fields)} fields; this panel shows {MOST_SLOTS}. Use the command line "
                "(format render), or a recipe with fewer."
            )
        slots, page = rest[:_SLOTS], rest[_SLOTS:]
        session = page[0] if page else None
        return Filled(form, values_of(form.fields, slots), session, page[1:])

    def _request(self, filled: Filled) -> PageRequest:
        request = self._host.request(filled.session or ChatSession(self._settings.document_options), filled.page)
        if request.turn is None:
            raise AiroborosLongctxError("No model is loaded; load one first.")
        return request

    def _prompt(self, filled: Filled, message: str) -> tuple[str, int]:
        """The exact prompt for ``message`` alone, without the chat's earlier turns, and the longest reply."""
        request = self._request(filled)
        assert request.turn is not None
        prompt = request.turn.render(message, 0)
        tokens = request.turn.count_tokens(prompt)
        if tokens > request.turn.limit_tokens:
            raise FormatError(
                f"The message takes {tokens} tokens and {request.reply_tokens} are kept for the reply; the window has "
                f"{request.turn.limit_tokens + request.reply_tokens}. Shorten what was filled in, or the reply."
            )
        return prompt, request.reply_tokens

    @staticmethod
    def _busy(stopping: Any, words: str, result: str, running: Any = None) -> list[Any]:
        import gradio as gr

        hidden = gr.update(visible=False)
        return [stopping, running, gr.update(visible=True), hidden, hidden, words, result]

    @staticmethod
    def _idle(words: str, result: str, running: Any = None) -> list[Any]:
        import gradio as gr

        shown = gr.update(visible=True)
        return [None, running, gr.update(visible=False), shown, gr.update(visible=running is not None), words, result]
