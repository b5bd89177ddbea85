"""The panel "Formats": layout first, then the events."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.documents.shelves import DocumentShelves
from ...core.formats.form_field import FormField
from ...core.settings import Settings
from ...format_service import Form, FormList
from ..documents.messages import note_html, said_html
from ..gradio_versions import queued, quiet
from ..panel_host import PanelHost
from .asking import FormatAsking
from .filled_form import FilledForms
from .leaving import until_left
from .own_recipes import OwnRecipes
from .page_tools import PageTools
from .running_plans import RunningPlans
from .slots import MOST_SLOTS, changed_in, create_slots, slots_for
from .summarising import Summarising

HEADING = "Formats"
_ID = "airoboros-longctx-format"
_WHAT = (
    "Requests in the forms that these models were trained with: choosing a function, weighing several solutions, plans "
    "that call tools, and recipes. Ask here, and the reply is read and shown in parts; or put the text into the chat."
)


def create_formats_panel(
    host: PanelHost, shelves: DocumentShelves, settings: Settings, recipes_folder: Path | None
) -> None:
    """Create the panel in the current Gradio page. ``recipes_folder`` holds the user's own recipes."""
    import gradio as gr

    forms = FormList(recipes_folder)
    filled_forms = FilledForms(host, shelves, settings, forms)

    def tools(session: Any, page: Sequence[Any]) -> PageTools:
        return PageTools(host, shelves, settings, filled_forms.session(session), page)

    summarising = Summarising(host, filled_forms)
    asking, plans = FormatAsking(host, filled_forms, tools, summarising), RunningPlans(settings, tools)
    stopping, running = gr.State(None), gr.State(None)
    #: The form that is shown, and what was changed in each, by its title.
    drafts = gr.State((None, {}))
    with gr.Accordion(HEADING, open=False, elem_id="airoboros-longctx-formats"):
        gr.HTML(note_html(_WHAT))
        problems = gr.HTML(_problems_html(forms), elem_id=f"{_ID}-problems")
        names = list(forms.known)
        choice = gr.Dropdown(names, value=None, label="Form: choose one", interactive=True, elem_id=f"{_ID}-choice")
        about = gr.HTML(elem_id=f"{_ID}-about")
        slots = create_slots()
        with gr.Row(visible=False) as actions:
            ask = gr.Button("Ask", variant="primary", elem_id=f"{_ID}-ask")
            show = gr.Button("Show the message", elem_id=f"{_ID}-show")
            put = gr.Button("Put into the chat", elem_id=f"{_ID}-put")
            read = gr.Button("Read the chat's last reply", elem_id=f"{_ID}-read")
        stop = gr.Button("Stop", visible=False, elem_id=f"{_ID}-stop")
        said = gr.HTML(elem_id=f"{_ID}-said")
        with gr.Row(visible=False) as later:
            run = gr.Button("Run the plan", variant="primary", elem_id=f"{_ID}-run")
            retry = gr.Button("Retry what failed", visible=False, elem_id=f"{_ID}-retry")
            go_on = gr.Button("Go on", variant="primary", visible=False, elem_id=f"{_ID}-go-on")
        result = gr.HTML(elem_id=f"{_ID}-result")
        own = OwnRecipes(forms, host.one_person)

    def fields_of(title: str | None, session: Any, page: Sequence[Any]) -> tuple[FormField, ...]:
        form = forms.known.get(title or "")
        return asking.fields(form, session, page) if form is not None else ()

    def on_other_form(stopping: Any, running: Any, drafts: Any, title: str | None, *filled: Any) -> list[Any]:
        """Show the form with ``title`` as it was left; what goes on in the one before ends."""
        plans.on_leave(stopping, running)
        slots, (session, *page) = filled[: 2 * MOST_SLOTS], filled[2 * MOST_SLOTS :]
        left, changes = drafts
        changes = {**changes, left: changed_in(fields_of(left, session, page), slots)}
        form = forms.known.get(title or "")
        drawn = slots_for(fields_of(title, session, page), changes.get(title, {}))
        about = _about_html(form) if form is not None else ""
        hidden = gr.update(visible=False)
        chosen = [about, gr.update(visible=form is not None), *drawn, "", "", hidden, None, (title, changes)]
        return [*chosen, own.text_of(title)] if own.text is not None else chosen

    def on_open() -> list[Any]:
        forms.read()
        return [gr.update(choices=list(forms.known)), _problems_html(forms)]

    def on_save(text: str, stopping: Any, running: Any, drafts: Any, *filled: Any) -> list[Any]:
        title, words = own.on_save(text)
        if title is None:
            drawn = [gr.update() for _ in choose_outputs]
        else:
            drawn = on_other_form(stopping, running, drafts, title, *filled)
        drawn[choose_outputs.index(said)] = words
        chosen = gr.update() if title is None else gr.update(choices=list(forms.known), value=title)
        return [chosen, _problems_html(forms), *drawn]

    page = [host.session, *host.inputs()]
    filled = [choice, *slots, *page]
    shown = [stopping, running, stop, actions, later, run, retry, go_on, said, result]
    before = [stopping, running, drafts]
    choose_outputs = [about, actions, *slots, said, result, later, running, drafts]
    choose_outputs += [own.text] if own.text is not None else []
    choose = choice.input if hasattr(choice, "input") else choice.change
    choose(on_other_form, [*before, *filled], choose_outputs, **quiet(choose))
    host.open_event()(on_open, None, [choice, problems], **quiet(host.open_event()))
    ask.click(until_left(asking.on_ask), filled, shown, **queued(ask.click))
    run.click(until_left(plans.on_run), [running, *page], shown, **queued(run.click))
    retry.click(until_left(plans.on_retry), running, shown, **queued(retry.click))
    go_on.click(until_left(summarising.on_go_on), [running, *page], shown, **queued(go_on.click))
    stop.click(plans.on_stop, [stopping, running], None, **quiet(stop.click))
    show.click(asking.on_show, filled, [said, result], **quiet(show.click))
    put.click(asking.on_put, [host.typing_field(), *filled], [host.typing_field(), said], **quiet(put.click))
    read.click(asking.on_read, [running, *filled], shown, **queued(read.click))
    if own.save is not None:
        inputs = [own.text, *before, *slots, *page]
        own.save.click(on_save, inputs, [choice, problems, *choose_outputs], **quiet(own.save.click))


def _problems_html(forms: FormList) -> str:
    return said_html(" ".join(forms.problems), True)


def _about_html(form: Form) -> str:
    source = ""
    if form.source.startswith("https://"):
        address = html.escape(form.source, quote=True)
        what = "model card" if form.source.startswith("https://huggingface.co/") else "source"
        source = f' <a href="{address}" target="_blank" rel="noopener noreferrer">{what}</a>'
    return f'<p class="airoboros-longctx-note">{html.escape(form.description)}{source}</p>'
