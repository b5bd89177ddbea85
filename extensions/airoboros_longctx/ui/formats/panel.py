"""The panel "Formats": layout first, then the events."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from ...core.documents.shelves import DocumentShelves
from ...core.settings import Settings
from ...format_service import Form, forms
from ..documents.messages import note_html, said_html
from ..gradio_versions import queued, quiet
from ..panel_host import PanelHost
from .asking import FormatAsking
from .slots import create_slots, slots_for

HEADING = "Formats"
_WHAT = (
    "Requests in the forms that these models were trained with: choosing a function, weighing several solutions, plans "
    "that call tools, and recipes. Ask here, and the reply is read and shown in parts; or put the text into the chat."
)


def create_formats_panel(
    host: PanelHost, shelves: DocumentShelves, settings: Settings, recipes_folder: Path | None
) -> None:
    """Create the panel in the current Gradio page. ``recipes_folder`` holds the user's own recipes."""
    import gradio as gr

    known, problems = forms(recipes_folder)
    asking = FormatAsking(host, shelves, settings, known)
    stopping, running = gr.State(None), gr.State(None)
    with gr.Accordion(HEADING, open=False, elem_id="airoboros-longctx-formats"):
        gr.HTML(note_html(_WHAT))
        if problems:
            gr.HTML(said_html(" ".join(problems), True))
        choice = gr.Dropdown(list(known), label="Form", interactive=True, elem_id="airoboros-longctx-format-choice")
        about = gr.HTML()
        slots = create_slots()
        with gr.Row(visible=False) as actions:
            ask = gr.Button("Ask", variant="primary", elem_id="airoboros-longctx-format-ask")
            show = gr.Button("Show the message", elem_id="airoboros-longctx-format-show")
            put = gr.Button("Put into the chat", elem_id="airoboros-longctx-format-put")
            read = gr.Button("Read the chat's last reply", elem_id="airoboros-longctx-format-read")
        stop = gr.Button("Stop", visible=False, elem_id="airoboros-longctx-format-stop")
        said = gr.HTML(elem_id="airoboros-longctx-format-said")
        with gr.Row(visible=False) as plan_actions:
            run = gr.Button("Run the plan", variant="primary", elem_id="airoboros-longctx-format-run")
            retry = gr.Button("Retry what failed", elem_id="airoboros-longctx-format-retry")
        result = gr.HTML(elem_id="airoboros-longctx-format-result")

    def on_choose(title: str | None, session: Any, *values: Any) -> list[Any]:
        form = known.get(title or "")
        fields = asking.fields(form, session, values) if form is not None else ()
        about = _about_html(form) if form is not None else ""
        hidden = gr.update(visible=False)
        return [about, gr.update(visible=form is not None), *slots_for(fields), "", "", hidden, None]

    filled = [choice, *slots]
    page = [host.session, *host.inputs()]
    shown = [stopping, running, stop, actions, plan_actions, said, result]
    choose_outputs = [about, actions, *slots, said, result, plan_actions, running]
    choose = choice.input if hasattr(choice, "input") else choice.change
    choose(on_choose, [choice, *page], choose_outputs, **quiet(choose))
    ask.click(asking.on_ask, [*filled, *page], shown, **queued(ask.click))
    run.click(asking.on_run, [running, *filled, *page], shown, **queued(run.click))
    retry.click(asking.on_retry, running, shown, **queued(retry.click))
    stop.click(asking.on_stop, [stopping, running], None, **quiet(stop.click))
    show.click(asking.on_show, filled, [said, result], **quiet(show.click))
    put.click(asking.on_put, filled, [host.typing_field(), said], **quiet(put.click))
    read.click(asking.on_read, [*filled, *page], shown, **queued(read.click))


def _about_html(form: Form) -> str:
    source = ""
    if form.source.startswith("https://"):
        address = html.escape(form.source, quote=True)
        source = f' <a href="{address}" target="_blank" rel="noopener noreferrer">model card</a>'
    return f'<p class="airoboros-longctx-note">{html.escape(form.description)}{source}</p>'
