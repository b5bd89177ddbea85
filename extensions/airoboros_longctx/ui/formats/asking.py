"""Asking in a form and reading the reply: what the panel's buttons do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ...core.documents.chat_session import ChatSession
from ...core.errors import AiroborosLongctxError
from ...core.formats.errors import FormatError
from ...core.formats.form_field import FormField
from ...core.formats.plan_steps import Plan
from ...core.formats.rewoo_plan import TOOLS
from ...core.recipes.recipe import Recipe
from ...core.recipes.rolling_summary import summarises_pieces
from ...format_service import Form
from ..documents.exact_prompt import exact_prompt_html
from ..documents.messages import note_html, said_html, sentence_of
from ..panel_host import PanelHost
from .asked_alone import fits, prompt_alone
from .filled_form import FilledForm, FilledForms
from .followed_reply import followed
from .leaving import Stopping
from .result_html import result_html, text_html
from .running_plans import ToolsOfPage
from .shown_state import Pace, busy, idle
from .summarising import Summarising


class FormatAsking:
    """The handlers. Those that take their time yield as ``shown_state.busy`` says."""

    def __init__(self, host: PanelHost, filled: FilledForms, tools: ToolsOfPage, summarising: Summarising) -> None:
        self._host = host
        self._filled = filled
        self._tools = tools
        self._summarising = summarising

    def fields(self, form: Form, session: ChatSession | None, page: Sequence[Any]) -> tuple[FormField, ...]:
        """The fields of ``form``; where it asks for tools, those of this page are filled in."""
        if not any(field.name == TOOLS for field in form.fields):
            return form.fields
        try:
            lines = self._tools(session, page).declarations()
        except AiroborosLongctxError:
            return form.fields
        return tuple(replace(one, default=lines) if one.name == TOOLS else one for one in form.fields)

    def on_show(self, *fields: Any) -> list[Any]:
        """[words, result]"""
        try:
            return ["", exact_prompt_html(self._filled.read(fields).message())]
        except Exception as error:
            return [said_html(sentence_of(error, "The message could not be made"), True), ""]

    def on_put(self, draft: Any, *fields: Any) -> list[Any]:
        """[the chat's field, words]; ``draft`` is what stands in that field, and stays."""
        import gradio as gr

        try:
            message = self._filled.read(fields).message()
            stands = str((draft.get("text") if isinstance(draft, dict) else draft) or "").strip()
            if stands and stands != message.strip():
                raise FormatError("There is a text in the chat's field already; send it or delete it first.")
        except Exception as error:
            return [gr.update(), said_html(sentence_of(error, "The message could not be made"), True)]
        with_files = type(self._host.typing_field()).__name__ == "MultimodalTextbox"
        files = draft.get("files") or [] if isinstance(draft, dict) else []
        typed = {"text": message, "files": files} if with_files else message
        return [gr.update(value=typed), said_html("The message stands in the chat's field; send it there.")]

    def on_ask(self, *fields: Any) -> Iterator[list[Any]]:
        """Ask the loaded model outside the chat, and read its reply."""
        stopping, reply = Stopping(), ""
        yield busy(stopping, note_html("Asking …"), "")
        try:
            filled = self._filled.read(fields)
            message, recipe = filled.message(), filled.form.asks
            request = self._host.request(filled.session, filled.page)
            if isinstance(recipe, Recipe) and summarises_pieces(recipe) and not fits(request, message):
                summary = self._summarising.begin(recipe, filled, request)
                yield from self._summarising.follow(summary, request, stopping)
                return
            pace = Pace()
            growing = self._host.reply(prompt_alone(request, message), request.reply_tokens, stopping)
            for reply in followed(growing, stopping):
                if pace.is_due():
                    yield busy(stopping, note_html("The reply grows."), text_html(reply))
        except Exception as error:
            yield idle(said_html(sentence_of(error, "The question failed"), True), text_html(reply) if reply else "")
            return
        if stopping.is_set():
            yield idle(said_html("Stopped."), text_html(reply))
            return
        yield self._read(filled, reply)

    def on_read(self, running: Any, *fields: Any) -> Iterator[list[Any]]:
        """The chat's last reply, read as one to the chosen form. Where there is none, what is shown stays."""
        import gradio as gr

        try:
            filled = self._filled.read(fields)
            reply = self._host.last_reply(filled.page)
            if not reply:
                raise FormatError("The chat has no reply yet; put the message into the chat and send it first.")
        except Exception as error:
            yield idle(said_html(sentence_of(error, "The chat's reply could not be read"), True), gr.update(), running)
            return
        yield self._read(filled, reply)

    @staticmethod
    def _read(filled: FilledForm, reply: str) -> list[Any]:
        asks = filled.form.asks
        if isinstance(asks, Recipe):
            return idle("", text_html(reply))
        try:
            request = filled.form.request(filled.values)
            result = asks.parse(reply, request)
        except Exception as error:
            return idle(said_html(sentence_of(error, "The reply could not be read"), True), text_html(reply))
        parts = result_html(result, request)
        shown = f"{parts}<details><summary>The reply itself</summary>{text_html(reply)}</details>"
        return idle("", shown, result if isinstance(result, Plan) else None)
