"""The panel "Check this model's context": layout first, then the events."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from ...core.errors import AiroborosLongctxError
from ..documents.messages import note_html, sentence_of
from ..documents.uploads import create_upload
from ..gradio_versions import quiet
from .form import forget, options_of, texts_of
from .running import CheckRuns
from .view import CheckView

HEADING = "Check this model's context"
_WHAT = (
    "A wrong scaling loads, answers, and is worse without a word. This measures the model that is loaded now. "
    "Perplexity: how well it foretells a text when it sees more and more of what stands before; less is better, and "
    "it must not rise towards the end of the window. Passkey: whether it finds a number again that stands somewhere in "
    "a long prompt. Half and double the factor are tried too, and the model is then exactly as it was."
)
_HOW_LONG = (
    "Seconds for a small model, minutes for a large one. Chats go on meanwhile: a reply and a step of the check wait "
    "for each other. You may close this page; the result is here when you come back."
)


def create_check_panel(runs: CheckRuns, looks: Sequence[Any]) -> None:
    """Create the panel in the current Gradio page. After each of the events ``looks`` (the page was opened, another
    model is loaded) it shows what is so."""
    import gradio as gr

    view = CheckView(runs)
    actions = CheckActions(runs, view)
    owner, shown = gr.State(""), gr.State(-1)
    with gr.Accordion(HEADING, open=False, elem_id="airoboros-longctx-check"):
        gr.HTML(note_html(_WHAT))
        contexts = gr.Textbox(
            label="Context lengths (tokens)",
            placeholder="64, 128, 256 …",
            info="Empty: 64, 128, 256 … and the whole window.",
            lines=1,
            max_lines=1,
            elem_id="airoboros-longctx-check-contexts",
        )
        unscaled = gr.Checkbox(
            False, label="Also measure the model unscaled", elem_id="airoboros-longctx-check-unscaled"
        )
        with gr.Accordion("Measure on a text of your own", open=False, elem_id="airoboros-longctx-check-texts"):
            files = create_upload(label="Text files", elem_id="airoboros-longctx-check-files")
            gr.HTML(
                note_html(
                    "Without one, perplexity is measured on the documentation that comes with Python. A file is read "
                    "here on this computer when the check starts, and its upload is deleted."
                )
            )
        with gr.Row():
            start = gr.Button("Start the check", elem_id="airoboros-longctx-check-start")
            stop = gr.Button("Stop the check", visible=False, elem_id="airoboros-longctx-check-stop")
        gr.HTML(note_html(_HOW_LONG))
        progress = gr.HTML(elem_id="airoboros-longctx-check-progress")
        result = gr.HTML(elem_id="airoboros-longctx-check-result")
        look = gr.Button("Look", elem_id="airoboros-longctx-check-look")

    seen = [start, stop, progress, result, shown]
    start.click(
        actions.on_start, [contexts, unscaled, files, owner, shown], [files, owner, *seen], **quiet(start.click)
    )
    stop.click(actions.on_stop, [owner, shown], seen, **quiet(stop.click))
    for event in (look.click, *looks):
        event(view.on_look, [owner, shown], seen, **quiet(event))


class CheckActions:
    """Start and Stop."""

    def __init__(self, runs: CheckRuns, view: CheckView) -> None:
        self._runs = runs
        self._view = view

    def on_start(self, contexts: Any, unscaled: Any, files: Any, owner: str, shown: int) -> list[Any]:
        """[files, owner, *what the view shows]"""
        owner = owner or secrets.token_hex(8)
        try:
            options = options_of(contexts, unscaled)
            self._runs.start(options, texts_of(files, not self._runs.several_people), owner)
        except Exception as error:
            sentence = sentence_of(error, "The check could not start")
            if not isinstance(error, AiroborosLongctxError):
                self._runs.say(sentence)
            forget(files)
            return [None, owner, *self._view.shown(owner, shown, sentence)]
        return [None, owner, *self._view.shown(owner, shown)]

    def on_stop(self, owner: str, shown: int) -> list[Any]:
        self._runs.stop(owner)
        return self._view.shown(owner, shown)
