"""What is stored of a person's documents: shown, exported, deleted."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Sequence
from typing import Any

from ...core.documents.place import CHARACTER, CHAT, Place, Shelf
from ...core.documents.shelves import DocumentShelves
from ...core.errors import AiroborosLongctxError
from ...core.foreign_text import quoted
from ..gradio_versions import quiet
from ..panel_host import PanelHost
from .messages import note_html, said_html, sentence_of
from .scope_names import NAMES

#: The largest export that a page can hand over, in bytes.
MOST_EXPORT_BYTES = 64 << 20


class StoredDocuments:
    """The section "Stored documents" of the panel."""

    def __init__(self, host: PanelHost, shelves: DocumentShelves, session: Callable[[Any], Any]) -> None:
        self._host = host
        self._shelves = shelves
        self._session = session

    def _place(self, value: Any, fields: Sequence[Any]) -> Place:
        return self._host.request(self._session(value), fields).place

    def on_show(self, value: Any, *fields: Any) -> list[Any]:
        """[what is stored, its buttons, the question whether to delete it]"""
        import gradio as gr

        try:
            shown, any_stored = self._table(self._place(value, fields))
        except Exception as error:
            shown, any_stored = said_html(sentence_of(error, "What is stored cannot be shown"), True), False
        return [shown, gr.update(visible=any_stored), gr.update(visible=False)]

    def on_export(self, value: Any, *fields: Any) -> str:
        """A link that holds the zip itself: nothing of it is left in a folder that the server serves."""
        try:
            content = self._shelves.export(self._place(value, fields))
            if len(content) > MOST_EXPORT_BYTES:
                raise AiroborosLongctxError(
                    f"The export has {len(content) >> 20} MiB, more than a page can hand over; use the command line: "
                    "python -m extensions.airoboros_longctx documents export."
                )
        except Exception as error:
            return said_html(sentence_of(error, "The documents could not be exported"), True)
        data = base64.b64encode(content).decode()
        return (
            '<p class="airoboros-longctx-said"><a download="airoboros_longctx-documents.zip" '
            f'href="data:application/zip;base64,{data}">Download airoboros_longctx-documents.zip</a> '
            f"({len(content)} bytes)</p>"
        )

    def on_delete(self, value: Any, *fields: Any) -> list[Any]:
        try:
            self._shelves.forget(self._place(value, fields))
        except Exception as error:
            return [
                said_html(sentence_of(error, "The documents were not deleted"), True),
                *self.on_show(value, *fields)[1:],
            ]
        return self.on_show(value, *fields)

    def _table(self, place: Place) -> tuple[str, bool]:
        if place.person is None:
            return note_html("Nothing is stored: this webui cannot say who you are, and others use it too."), False
        stored = self._shelves.stored_shelves(place)
        if not stored:
            return note_html("No documents of yours are stored."), False
        rows = "".join(
            f"<tr><td>{html.escape(shelf_name(one.shelf))}</td><td>{one.documents}</td>"
            f"<td>{_size(one.size_bytes)}</td></tr>"
            for one in stored
        )
        head = "<tr><th>Where</th><th>Documents</th><th>Size</th></tr>"
        return f'<table class="airoboros-longctx-stored"><thead>{head}</thead><tbody>{rows}</tbody></table>', True


def shelf_name(shelf: Shelf) -> str:
    """A shelf in words: its scope, with the character or the chat that it belongs to."""
    if shelf.scope == CHARACTER:
        return f"Character {quoted(shelf.character, 60)}"
    if shelf.scope == CHAT:
        return f"Chat {quoted(shelf.chat, 100)}"
    return NAMES[shelf.scope]


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024:.0f} KiB" if size_bytes >= 1024 else f"{size_bytes} bytes"


def create_stored_documents(host: PanelHost, stored: StoredDocuments, then_look: Callable[[Any], None]) -> None:
    """Create the section in the current Gradio page. ``then_look`` redraws the panel after an event."""
    import gradio as gr

    with gr.Accordion("Stored documents", open=False, elem_id="airoboros-longctx-stored"):
        gr.HTML(
            note_html(
                "What is kept of your documents, in every chat: on this computer, in a folder that is served to nobody."
            )
        )
        show = gr.Button("Show what is stored")
        table = gr.HTML()
        with gr.Row(visible=False) as buttons:
            export = gr.Button("Export")
            ask = gr.Button("Delete everything stored")
        link = gr.HTML()
        with gr.Column(visible=False) as question:
            gr.HTML(note_html("All documents in this list are deleted for good, in every chat. Export them first?"))
            with gr.Row():
                yes = gr.Button("Yes, delete everything", variant="stop")
                no = gr.Button("Keep everything")
    fields, shown = [host.session, *host.inputs()], [table, buttons, question]
    show.click(stored.on_show, fields, shown, **quiet(show.click))
    export.click(stored.on_export, fields, link, **quiet(export.click))
    ask.click(lambda: gr.update(visible=True), None, question, **quiet(ask.click))
    no.click(lambda: gr.update(visible=False), None, question, **quiet(no.click))
    then_look(yes.click(stored.on_delete, fields, shown, **quiet(yes.click)))
