"""Asking in a form, reading the reply, running a plan: what the panel's buttons do."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.documents.chat_session import ChatSession
from ...core.documents.shelves import DocumentShelves
from ...core.errors import AiroborosLongctxError
from ...core.formats.errors import FormatError
from ...core.formats.form_field import FormField
from ...core.formats.plan_steps import Plan
from ...core.formats.rewoo_plan import TOOLS
from ...core.settings import Settings
from ...format_service import Form
from ...plans.plan_run import PlanRun
from ...plans.progress import RUNNING
from ...plans.run_options import RunOptions
from ..documents.exact_prompt import exact_prompt_html
from ..documents.messages import note_html, said_html, sentence_of
from ..panel_host import PanelHost
from .page_tools import PageTools, prompt_alone
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
        self, host: PanelHost, shelves: DocumentShelves, settings: Settings, known_forms: Mapping[str, Form]
    ) -> None:
        self._host = host
        self._shelves = shelves
        self._settings = settings
        self._forms = known_forms

    def fields(self, form: Form, session: ChatSession | None, values: Sequence[Any]) -> tuple[FormField, ...]:
        """The fields of ``form``; where it asks for tools, those of this page are filled in."""
        if not any(field.name == TOOLS for field in form.fields):
            return form.fields
        try:
            lines = self._tools(session, values).declarations()
        except AiroborosLongctxError:
            return form.fields
        return tuple(replace(one, default=lines) if one.name == TOOLS else one for one in form.fields)

    def _tools(self, session: ChatSession | None, values: Sequence[Any]) -> PageTools:
        session = session or ChatSession(self._settings.document_options)
        return PageTools(self._host, self._shelves, self._settings, session, values)

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
            request = self._host.request(self._session(filled), filled.page)
            prompt = prompt_alone(request, filled.form.message(filled.values))
            for reply in self._host.reply(prompt, request.reply_tokens, stopping):
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
        parts = result_html(result, filled.form.request(filled.values))
        shown = f"{parts}<details><summary>The reply itself</summary>{text_html(reply)}</details>"
        return self._idle("", shown, result if isinstance(result, Plan) else None)

    # -- plans ----------------------------------------------------------------------------------------------------

    def on_run(self, plan: Plan | PlanRun | None, *fields: Any) -> Iterator[list[Any]]:
        """Run the page's plan from its beginning."""
        try:
            if plan is None:
                raise FormatError("There is no plan; ask for one first.")
            filled = self._filled(fields)
            options = RunOptions(step_seconds=self._settings.plan_step_seconds)
            tools = self._tools(filled.session, filled.page).available()
            run = PlanRun(plan.plan if isinstance(plan, PlanRun) else plan, tools.tools, options)
            run.start()
        except Exception as error:
            yield self._idle(said_html(sentence_of(error, "The plan could not run"), True), "", plan)
            return
        yield from self._follow(run, " ".join(tools.problems))

    def on_retry(self, run: Plan | PlanRun | None) -> Iterator[list[Any]]:
        """Run again what failed or was stopped; what is done is kept."""
        try:
            if not isinstance(run, PlanRun):
                raise FormatError("The plan has not run yet; run it first.")
            run.retry()
        except Exception as error:
            shown = plan_html(run.progress()) if isinstance(run, PlanRun) else ""
            yield self._idle(said_html(sentence_of(error, "The plan could not run again"), True), shown, run)
            return
        yield from self._follow(run, "")

    def _follow(self, run: PlanRun, words: str) -> Iterator[list[Any]]:
        progress, said = run.progress(), said_html(words, True)
        while progress.state == RUNNING:
            yield self._busy(None, said or note_html("The plan runs."), plan_html(progress), run)
            progress = run.wait_for_change(progress, _LOOK_EVERY_SECONDS)
        yield self._idle(said, plan_html(progress), run)

    def on_stop(self, stopping: threading.Event | None, run: Plan | PlanRun | None) -> None:
        if stopping is not None:
            stopping.set()
        if isinstance(run, PlanRun):
            run.stop()

    # -- what they share ------------------------------------------------------------------------------------------

    def _filled(self, fields: Sequence[Any]) -> Filled:
        title, *rest = fields
        form = self._forms.get(title or "")
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

    def _session(self, filled: Filled) -> ChatSession:
        return filled.session or ChatSession(self._settings.document_options)

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
