"""The Documents panel: bring documents in, order them, see what fills the window, read the exact prompt."""

from __future__ import annotations

from typing import Any

from ...core.chat_session import ChatSession
from ...core.document_options import DocumentOptions
from ...core.document_shelves import DocumentShelves
from ...prompt_service import PromptService
from ..gradio_versions import copyable, quiet
from ..panel_host import PanelHost
from ..plainformat_panel import create_plainformat_panel
from .rows import HEADING
from .steps import NONE_YET, DocumentSteps, note_html, said_html
from .uploads import TYPES, create_upload


def create_documents_panel(
    host: PanelHost, prompts: PromptService, shelves: DocumentShelves, options: DocumentOptions
) -> None:
    """Create the panels Documents and PLAINFORMAT in the current Gradio page. ``options`` are the ticks at first."""
    import gradio as gr

    steps = DocumentSteps(host, prompts, shelves, options)
    blocked = host.documents_blocked()
    plainformat = create_plainformat_panel(host, lambda: ChatSession(options))
    choice = gr.State(None)
    with gr.Accordion(HEADING, open=False, elem_id="airoboros-longctx-documents") as panel:
        if blocked:
            gr.HTML(said_html(blocked, True))
        bar = gr.HTML(note_html(NONE_YET), elem_id="airoboros-longctx-budget")
        lines = gr.Radio([], label="Documents of this chat, in order", visible=False, elem_id="airoboros-longctx-lines")
        with gr.Row():
            with gr.Column():
                title = gr.Textbox(label="Title", placeholder="Named first among the sources", lines=1, max_lines=1)
                metadata = gr.Textbox(
                    label="Metadata", lines=3, placeholder="url: https://web.site/123\ndate: 2021-01-01", max_lines=8
                )
            text = gr.Textbox(label="Document text", lines=6, max_lines=16, placeholder="Paste the text here")
        with gr.Row(visible=False, elem_id="airoboros-longctx-chosen") as actions:
            save = gr.Button("Save changes")
            switch = gr.Button("Switch on or off")
            up = gr.Button("Move up")
            down = gr.Button("Move down")
            remove = gr.Button("Remove")
            close = gr.Button("Close")
        with gr.Column(elem_id="airoboros-longctx-adding") as adding:
            add = gr.Button("Add document", interactive=not blocked)
            upload = create_upload(
                label=f"Add files ({', '.join(TYPES)})", interactive=not blocked, elem_id="airoboros-longctx-upload"
            )
        said = gr.HTML(elem_id="airoboros-longctx-said")
        with gr.Row(elem_id="airoboros-longctx-ticks"):
            only = gr.Checkbox(options.only_from_documents, label="Answer from these documents only")
            sources = gr.Checkbox(options.name_sources, label="Name your sources")
            without_history = gr.Checkbox(options.without_history, label="Without chat history")
        with gr.Row(elem_id="airoboros-longctx-sampling"):
            sampling = gr.Checkbox(options.own_sampling, label="Sampling for documents (no repetition penalty)")
            temperature = gr.Slider(0, 2, options.temperature, step=0.05, label="Temperature with documents")
        show = gr.Button("Show the exact prompt")
        prompt = gr.Textbox(
            elem_id="airoboros-longctx-exact-prompt",
            label="Exact prompt, as it was when you asked for it",
            lines=8,
            max_lines=24,
            interactive=False,
            visible=False,
            **copyable(gr.Textbox),
        )
        gr.HTML(
            note_html(
                "Documents belong to the chat they were added in, and are kept while this page is open. "
                "They enter the prompt, not the chat's history."
            )
        )

    form, fields = [title, metadata, text], list(host.inputs())
    stepping, done = [host.session, choice, *form, *fields], [host.session, choice, said, *form]
    looking, view = [host.session, choice, *fields], [panel, bar, lines, actions, adding, *plainformat]

    def then_look(event: Any) -> None:
        event.then(steps.look, looking, view, **quiet(event.then))

    for button, step in (
        (add, steps.on_add),
        (save, steps.on_save),
        (switch, steps.on_switch),
        (up, steps.on_up),
        (down, steps.on_down),
        (remove, steps.on_remove),
        (close, steps.on_close),
    ):
        then_look(button.click(steps.handler(step), stepping, done, **quiet(button.click)))
    then_look(upload.upload(steps.on_upload, [upload, *stepping], [*done, upload], **quiet(upload.upload)))
    choosing = [choice, said, *form]
    then_look(lines.input(steps.on_choose, [host.session, choice, lines, *fields], choosing, **quiet(lines.input)))
    ticks = [only, sources, without_history, sampling, temperature]
    for tick in ticks[:-1]:
        then_look(tick.change(steps.on_options, [host.session, *ticks], host.session, **quiet(tick.change)))
    for moved in (temperature.change, temperature.release):  # the last value counts, by mouse, key or number box
        moved(steps.on_options, [host.session, *ticks], host.session, **quiet(moved))
    host.on_chat_change(steps.on_chat_change, looking, [choice, *form, *view])
    host.on_typing(steps.on_typing, [host.session, *fields], [bar])

    def on_show(value: ChatSession | None, *given: Any) -> Any:
        return gr.update(value=steps.on_prompt(value, *given), visible=True)

    show.click(on_show, [host.session, *fields], prompt, **quiet(show.click))
