"""The Documents panel: layout first, then the events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...core.documents.chat_session import ChatSession
from ...core.documents.place import CHAT
from ...core.documents.shelves import DocumentShelves
from ...core.settings import Settings
from ...prompt_service import PromptService
from ..gradio_versions import at_each_key, queued, quiet, with_request
from ..panel_host import PanelHost
from ..plainformat_panel import create_plainformat_panel
from .bring_in import on_address, on_cancel, on_files
from .choices import create_choices
from .list_html import HEADING, list_html
from .messages import note_html, said_html
from .scope_names import NAMES
from .steps import PASTE, DocumentSteps
from .stored import StoredDocuments, create_stored_documents
from .uploads import create_upload
from .view import DocumentView

_FILE_TYPES = (
    "Text, Markdown, HTML, PDF, Word, PowerPoint, Excel, CSV, EPUB and source code; several at once. Each is read "
    "here on this computer, and its upload is deleted afterwards."
)


def create_documents_panel(
    host: PanelHost, prompts: PromptService, shelves: DocumentShelves, settings: Settings
) -> None:
    """Create the panels Documents and PLAINFORMAT in the current Gradio page."""
    import gradio as gr

    options = settings.document_options
    steps = DocumentSteps(host, shelves, options)
    view = DocumentView(host, prompts, shelves, steps)
    blocked = host.documents_blocked()
    plainformat = create_plainformat_panel(host, lambda: ChatSession(options))
    editing, brought, stopping = gr.State(None), gr.State(None), gr.State(None)
    with gr.Accordion(HEADING, open=False, elem_id="airoboros-longctx-documents") as panel:
        if blocked:
            gr.HTML(said_html(blocked, True))
        bar = gr.HTML(elem_id="airoboros-longctx-budget")
        lines = gr.HTML(list_html((), (), ()), elem_id="airoboros-longctx-list")
        said = gr.HTML(elem_id="airoboros-longctx-said")
        preview = gr.HTML(elem_id="airoboros-longctx-preview")
        action = gr.Textbox(label="Action", elem_id="airoboros-longctx-action")
        act = gr.Button("Act", elem_id="airoboros-longctx-act")
        add_to = gr.Radio(
            [NAMES[CHAT]], value=NAMES[CHAT], label="Add to", elem_id="airoboros-longctx-add-to", interactive=True
        )
        kept = gr.HTML()
        with gr.Column(visible=False) as reading:
            progress = gr.HTML(elem_id="airoboros-longctx-progress")
            cancel = gr.Button("Cancel reading")
        with gr.Column(elem_id="airoboros-longctx-adding") as bringing:
            upload = create_upload(label="Add files", interactive=not blocked, elem_id="airoboros-longctx-upload")
            gr.HTML(note_html(_FILE_TYPES))
            if settings.documents_from_web:
                with gr.Row(elem_id="airoboros-longctx-web"):
                    address = gr.Textbox(
                        label="Web page", placeholder="https://web.site/page", lines=1, max_lines=1, scale=4
                    )
                    fetch = gr.Button("Add web page", interactive=not blocked)
            else:
                gr.HTML(note_html(f"Web pages are not fetched. {host.web_is_off}"), elem_id="airoboros-longctx-web")
        with gr.Accordion(PASTE, open=False, elem_id="airoboros-longctx-editor") as editor:
            title = gr.Textbox(
                label="Title",
                placeholder="Named first among the sources",
                lines=1,
                max_lines=1,
                elem_id="airoboros-longctx-title",
            )
            metadata = gr.Textbox(
                label="Metadata",
                lines=2,
                max_lines=8,
                placeholder="url: https://web.site/123\ndate: 2021-01-01",
                info="A pair on each line, with names of your own. The model may name them as its source.",
            )
            text = gr.Textbox(label="Document text", lines=6, max_lines=16, placeholder="Paste the text here")
            with gr.Row() as adding:
                add = gr.Button("Add document", interactive=not blocked)
            with gr.Row(visible=False) as saving:
                save = gr.Button("Save changes")
                close = gr.Button("Close without saving")
        choices = create_choices(options, host.has_attachments)
        show = gr.Button("Show the exact prompt")
        exact = gr.HTML(elem_id="airoboros-longctx-exact-prompt")
        fields = list(host.inputs())
        looking = [host.session, editing, action, add_to, *fields]
        seen = [panel, bar, lines, add_to, kept, adding, saving, *plainformat]

        def then_look(event: Any) -> None:
            event.then(view.look, looking, seen, **quiet(event.then))

        create_stored_documents(host, StoredDocuments(host, shelves, steps.session), then_look)

    form, done = [title, metadata, text], [host.session, editing, said, editor, title, metadata, text, preview]
    for button, step in ((add, steps.on_add), (save, steps.on_save), (close, steps.on_close)):
        stepping = [host.session, editing, add_to, *form, *fields]
        then_look(button.click(steps.handler(step), stepping, done, **quiet(button.click)))
    then_look(act.click(steps.on_action, [host.session, editing, action, *fields], done, **quiet(act.click)))

    reads: list[tuple[Any, Callable[[Any], Iterator[list[Any]]], Any]] = [(upload.upload, on_files, upload)]
    if settings.documents_from_web:
        reads += [(fetch.click, on_address, address), (address.submit, on_address, address)]
    for event, read, source in reads:
        shown = [brought, stopping, progress, reading, bringing, source]
        came = event(read, [source], shown, **queued(event))
        taking = [host.session, editing, add_to, brought, *fields]
        then_look(came.then(steps.on_brought, taking, [*done, brought], **quiet(came.then)))
    cancel.click(on_cancel, stopping, None, **quiet(cancel.click))

    options_given = [host.session, *choices]
    for choice in choices:
        then_look(choice.change(steps.on_options, options_given, host.session, **quiet(choice.change)))
    add_to.change(view.on_add_to, [host.session, add_to, *fields], kept, **quiet(add_to.change))
    show.click(view.on_prompt, [host.session, *fields], exact, **quiet(show.click))

    changed = [editing, editor, *form, preview, *seen]
    for event in host.chat_events():
        event(view.on_chat_change, looking, changed, **quiet(event))
    typed, arguments = at_each_key(host.typing_field())
    typed(view.on_typing, [host.session, *fields], [bar], **arguments)
    opened = host.open_event()
    then_look(opened(with_request(steps.on_open), [host.session], [host.session], **quiet(opened)))
