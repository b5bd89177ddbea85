"""The PLAINFORMAT tick: bare code as the reply, for the generations that were trained with it."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..core.documents.chat_session import ChatSession
from .gradio_versions import quiet
from .panel_host import PanelHost

NOT_WITH_DOCUMENTS = "Not used while documents are on: PLAINFORMAT has no meaning in a closed-context question."


def plainformat_note(documents_on: bool, separator: str | None) -> str:
    """What the tick does now, or why it does nothing, as HTML."""
    if documents_on:
        words = NOT_WITH_DOCUMENTS
    elif separator is None:
        words = "The loaded model's generation is not known to have learned PLAINFORMAT; the tick adds nothing."
    else:
        shown = {"\n": "a new line", " ": "a space", "  ": "two spaces"}.get(separator, repr(separator))
        words = f"Adds {shown} and PLAINFORMAT to the message, and shows the reply as one block of code."
    return f'<p class="airoboros-longctx-note">{html.escape(words)}</p>'


def plainformat_view(documents_on: bool, separator: str | None) -> list[Any]:
    """How the tick and its note stand now. The tick keeps its place while documents switch it off."""
    import gradio as gr

    return [gr.update(interactive=not documents_on), plainformat_note(documents_on, separator)]


def create_plainformat_panel(host: PanelHost, default: Callable[[], ChatSession]) -> list[Any]:
    """Create the tick in the current Gradio page. Returns the components of ``plainformat_view``."""
    import gradio as gr

    with gr.Row(elem_id="airoboros-longctx-plainformat"):
        tick = gr.Checkbox(False, label="PLAINFORMAT", elem_id="airoboros-longctx-plainformat-tick")
        note = gr.HTML(plainformat_note(False, host.plainformat_separator()))

    def on_tick(value: ChatSession | None, ticked: bool) -> ChatSession:
        return replace(value or default(), plainformat=bool(ticked))

    tick.change(on_tick, [host.session, tick], host.session, **quiet(tick.change))
    return [tick, note]
