"""The ticks of the Documents panel, and the choice of what happens to documents that do not fit."""

from __future__ import annotations

from typing import Any

from ...core.prompts.document_options import PASSAGES, SHORTEN, WHEN_TOO_LONG, WHOLE, DocumentOptions
from .messages import note_html

TOO_LONG = {
    PASSAGES: "Keep the passages that matter for this question",
    WHOLE: "Keep whole documents only, those first in the list first",
    SHORTEN: "Shorten every document alike",
}
_TOO_LONG_NOTE = (
    "Documents stay whole as long as they fit. What is left out is said under the bar; a gap in a document is marked."
)


def too_long_of(name: object) -> str:
    """The choice with this name; "" where there is none."""
    return next((choice for choice in WHEN_TOO_LONG if TOO_LONG[choice] == name), "")


def create_choices(options: DocumentOptions, has_attachments: bool) -> list[Any]:
    """Create the choices in the current Gradio page. Returns their components, in the order of ``on_options``."""
    import gradio as gr

    too_long = gr.Radio(
        [TOO_LONG[choice] for choice in WHEN_TOO_LONG],
        value=TOO_LONG[options.when_too_long],
        label="When the documents do not fit",
        elem_id="airoboros-longctx-too-long",
    )
    gr.HTML(note_html(_TOO_LONG_NOTE))
    with gr.Row(elem_id="airoboros-longctx-ticks"):
        only = gr.Checkbox(options.only_from_documents, label="Answer from these documents only")
        sources = gr.Checkbox(options.name_sources, label="Name your sources")
        without_history = gr.Checkbox(options.without_history, label="Without chat history")
        lines = gr.Checkbox(options.one_instruction_per_line, label="Each line is an instruction of its own")
        attachments = gr.Checkbox(
            options.attachments, label="Attached files are documents too", visible=has_attachments
        )
    with gr.Row(elem_id="airoboros-longctx-sampling"):
        sampling = gr.Checkbox(options.own_sampling, label="Sampling for documents (no repetition penalty)")
        temperature = gr.Slider(0, 2, options.temperature, step=0.05, label="Temperature with documents")
    return [only, sources, without_history, lines, attachments, sampling, temperature, too_long]
