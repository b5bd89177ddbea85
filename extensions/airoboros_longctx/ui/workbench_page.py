"""The workbench's page: model, status line, chat, documents, the check."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..core.documents.chat_session import ChatSession
from ..core.errors import AiroborosLongctxError, UnfinishedReplyError
from ..core.replies.source_check import SentDocument
from .checking.panel import create_check_panel
from .documents.panel import create_documents_panel
from .formats.panel import create_formats_panel
from .gradio_versions import new_session_state
from .status_panel import create_status_panel, status_html
from .workbench_conversation import Said, messages_of, sources_of, turns_of
from .workbench_panels import WorkbenchActions, WorkbenchPanelHost


def create_workbench_page(workbench: WorkbenchActions) -> Any:
    """The Gradio Blocks of the page; each browser tab has a conversation and documents of its own."""
    import gradio as gr

    model = workbench.model_field()
    with gr.Blocks(title="airoboros_longctx workbench", analytics_enabled=False) as page:
        gr.Markdown(f"# airoboros_longctx workbench\n{model.introduction}")
        with gr.Row(equal_height=False):
            folder = gr.Dropdown(
                list(model.choices),
                value=workbench.loaded_folder(),
                allow_custom_value=True,
                label=model.label,
                info=model.info,
                scale=5,
            )
            load = gr.Button("Load", scale=1, min_width=90)
        line = create_status_panel(workbench.service, refresh_seconds=4)
        chat = gr.Chatbot(label="Chat", height=420, placeholder="Ask the model something.")
        question = gr.Textbox(label="Message", lines=3, max_lines=12, info="Shift+Enter sends it.")
        with gr.Row():
            send = gr.Button("Send", variant="primary", min_width=100)
            regenerate = gr.Button("Regenerate", min_width=100)
            stop = gr.Button("Stop", min_width=100)
        with gr.Accordion("Generation", open=False):
            max_new_tokens = gr.Slider(1, 2048, value=64, step=1, label="Longest reply (tokens)")
            temperature = gr.Slider(
                0.0, 2.0, value=0.0, step=0.05, label="Temperature", info="0 always takes the likeliest token."
            )
        stopping, conversation, session = gr.State(None), gr.State([]), new_session_state()
        events = (page.load, line.change, conversation.change, max_new_tokens.release)
        host = WorkbenchPanelHost(workbench, session, (question, conversation, max_new_tokens), events)
        create_documents_panel(host, workbench.prompts, workbench.shelves, workbench.settings)
        create_formats_panel(host, workbench.shelves, workbench.settings, workbench.recipes_folder)
        create_check_panel(workbench.checks, [page.load, line.change])

        def on_load(path: str) -> tuple[str, Any]:
            try:
                workbench.load(path or "")
            except AiroborosLongctxError as error:
                raise gr.Error(str(error), title="Not loaded") from error
            there = gr.update(choices=list(workbench.model_field().choices), value=workbench.loaded_folder())
            return status_html(workbench.service.status()), there

        def answered(
            text: str, before: list[Said], mine: ChatSession | None, tokens: float, heat: float, growing: Any
        ) -> Iterator[tuple[Any, ...]]:
            """Stream the answer to ``text`` after ``before``; what the page knows changes only when it has ended."""
            if growing is not None and not growing.is_set():
                raise AiroborosLongctxError("A reply is still growing; wait for it, or stop it first.")
            event, separator = threading.Event(), workbench.plainformat_separator()
            code = mine is not None and mine.plainformat and not workbench.shelves.active(mine, workbench.place)
            said, sent, unfinished = Said(text, "", code and separator is not None), list[SentDocument](), ""
            try:
                yield messages_of([*before, said]), event, gr.skip()
                for reply in workbench.reply(text, turns_of(before), int(tokens), float(heat), event, mine, sent):
                    said = replace(said, reply=reply, documents=bool(sent))
                    yield messages_of([*before, said]), gr.skip(), gr.skip()
            except UnfinishedReplyError as error:
                if not said.reply:
                    raise
                unfinished = str(error)
            finally:
                event.set()
            said = replace(said, sources=sources_of(said.reply, sent, text))
            yield messages_of([*before, said]), gr.skip(), [*before, said]
            if unfinished:
                gr.Warning(unfinished, title="What came stays")

        def on_send(text: str, before: list[Said], *asked: Any) -> Iterator[tuple[Any, ...]]:
            if not text.strip():
                raise gr.Error("The message is empty; type a question first.", title="Not sent")
            try:
                for number, shown in enumerate(answered(text, before, *asked)):
                    yield "" if number == 0 else gr.skip(), *shown
            except AiroborosLongctxError as error:
                yield text, messages_of(before), gr.skip(), gr.skip()
                raise gr.Error(str(error), title="Not answered") from error

        def on_regenerate(before: list[Said], *asked: Any) -> Iterator[tuple[Any, ...]]:
            if not before:
                raise gr.Error("There is no reply yet; send a message first.", title="Nothing to regenerate")
            try:
                yield from answered(before[-1].question, before[:-1], *asked)
            except AiroborosLongctxError as error:
                yield messages_of(before), gr.skip(), gr.skip()
                raise gr.Error(str(error), title="Not answered") from error

        def on_stop(event: threading.Event | None) -> None:
            if event is not None:
                event.set()

        asking = [conversation, session, max_new_tokens, temperature, stopping]
        answering = [chat, stopping, conversation]
        gr.on(
            (send.click, question.submit), on_send, [question, *asking], [question, *answering], show_progress="hidden"
        )
        regenerate.click(on_regenerate, asking, answering, show_progress="hidden")
        stop.click(on_stop, stopping, None, queue=False, show_progress="hidden")
        chat.clear(lambda: [], None, conversation, show_progress="hidden")
        load.click(on_load, folder, [line, folder])
    return page
