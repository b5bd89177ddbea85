"""The workbench's page: model, status line, chat."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from ..core.errors import AiroborosLongctxError
from ..service import LongContextService
from .status_panel import create_status_panel, status_html

Messages = list[dict[str, Any]]


class WorkbenchActions(Protocol):
    """What a person can do on the page."""

    service: LongContextService

    def shipped_models(self) -> list[str]: ...

    def loaded_folder(self) -> str | None: ...

    def load(self, folder: str) -> None: ...

    def reply(
        self,
        question: str,
        history: Sequence[tuple[str, str]],
        max_new_tokens: int,
        temperature: float,
        stopping: threading.Event,
    ) -> Iterator[str]: ...


def create_workbench_page(workbench: WorkbenchActions) -> Any:
    """The Gradio Blocks of the page; each browser tab has a conversation of its own."""
    import gradio as gr

    shipped = workbench.shipped_models()
    with gr.Blocks(title="airoboros_longctx workbench", analytics_enabled=False) as page:
        gr.Markdown(
            "# airoboros_longctx workbench\n"
            "Chat with a RoPE-scaled Llama. Its context is scaled when it is loaded, and confirmed on the live model."
        )
        with gr.Row(equal_height=False):
            folder = gr.Dropdown(
                [(path.replace("\\", "/").rpartition("/")[2], path) for path in shipped],
                value=workbench.loaded_folder(),
                allow_custom_value=True,
                label="Model folder",
                info="Pick one that ships, or type the path of a folder in Hugging Face format.",
                scale=5,
            )
            load = gr.Button("Load", scale=1, min_width=90)
        line = create_status_panel(workbench.service, refresh_seconds=4)
        chat = gr.Chatbot(label="Chat", height=420, placeholder="Ask the model something.")
        question = gr.Textbox(label="Message", lines=3, max_lines=12, info="Shift+Enter sends it.")
        with gr.Row():
            send = gr.Button("Send", variant="primary")
            stop = gr.Button("Stop")
        with gr.Accordion("Generation", open=False):
            max_new_tokens = gr.Slider(1, 2048, value=64, step=1, label="Longest reply (tokens)")
            temperature = gr.Slider(
                0.0, 2.0, value=0.0, step=0.05, label="Temperature", info="0 always takes the likeliest token."
            )
        stopping = gr.State(None)

        def on_load(path: str) -> str:
            try:
                workbench.load(path or "")
            except AiroborosLongctxError as error:
                raise gr.Error(str(error), title="Not loaded") from error
            return status_html(workbench.service.status())

        def on_send(text: str, messages: Messages, tokens: float, heat: float) -> Iterator[tuple[Any, ...]]:
            if not text.strip():
                raise gr.Error("The message is empty; type a question first.", title="Not sent")
            event = threading.Event()
            shown = [*messages, {"role": "user", "content": text}, {"role": "assistant", "content": "…"}]
            yield shown, "", event
            try:
                for said in workbench.reply(text, turns_of(messages), int(tokens), float(heat), event):
                    shown[-1] = {"role": "assistant", "content": said or "…"}
                    yield shown, "", event
            except AiroborosLongctxError as error:
                yield messages, text, None
                raise gr.Error(str(error), title="Not answered") from error

        def on_stop(event: threading.Event | None) -> None:
            if event is not None:
                event.set()

        asking = [question, chat, max_new_tokens, temperature]
        for event in (send.click, question.submit):
            event(on_send, asking, [chat, question, stopping], show_progress="hidden")
        stop.click(on_stop, stopping, None, queue=False, show_progress="hidden")
        load.click(on_load, folder, line)
    return page


def turns_of(messages: Messages) -> list[tuple[str, str]]:
    """The finished (user, assistant) turns of a chat, oldest first."""
    said = [(message["role"], _text_of(message["content"])) for message in messages]
    return [
        (text, answer)
        for (role, text), (other, answer) in itertools.pairwise(said)
        if (role, other) == ("user", "assistant")
    ]


def _text_of(content: Any) -> str:
    """Gradio hands a message's text back as a string or as a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
