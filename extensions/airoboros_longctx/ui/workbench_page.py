"""The workbench's page: model, status line, chat, documents."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..core.chat_session import THIS_PAGE, ChatSession
from ..core.errors import AiroborosLongctxError
from ..core.plainformat import as_code_block, bare_code
from ..core.settings import Settings
from ..core.token_estimate import estimate_tokens
from ..prompt_service import ChatTurn, PageRequest, PromptService
from ..service import LongContextService
from .documents_panel import create_documents_panel
from .gradio_versions import new_session_state, quiet
from .status_panel import create_status_panel, status_html

Messages = list[dict[str, Any]]


class WorkbenchActions(Protocol):
    """What a person can do on the page."""

    service: LongContextService
    prompts: PromptService
    settings: Settings

    def shipped_models(self) -> list[str]: ...
    def loaded_folder(self) -> str | None: ...
    def load(self, folder: str) -> None: ...
    def plainformat_separator(self) -> str | None: ...
    def turn(self, history: Sequence[tuple[str, str]], reply_tokens: int) -> ChatTurn | None: ...
    def prompt(
        self, question: str, history: Sequence[tuple[str, str]], reply_tokens: int, session: ChatSession | None = None
    ) -> str: ...
    def reply(
        self,
        question: str,
        history: Sequence[tuple[str, str]],
        max_new_tokens: int,
        temperature: float,
        stopping: threading.Event,
        session: ChatSession | None = None,
    ) -> Iterator[str]: ...


@dataclass(frozen=True)
class Said:
    """One turn: what was typed, and the raw reply. ``code``: it was asked for in PLAINFORMAT."""

    question: str
    reply: str = ""
    code: bool = False


def messages_of(conversation: Sequence[Said]) -> Messages:
    """The conversation as the chat shows it; a PLAINFORMAT reply is one code block from its first token."""
    messages: Messages = []
    for said in conversation:
        shown = as_code_block(bare_code(said.reply), "plainformat") if said.code and said.reply else said.reply
        messages.append({"role": "user", "content": said.question})
        messages.append({"role": "assistant", "content": shown or "…"})
    return messages


def turns_of(conversation: Sequence[Said]) -> list[tuple[str, str]]:
    """The turns (user, assistant) of a conversation, oldest first, as they were said."""
    return [(said.question, said.reply) for said in conversation]


class WorkbenchPanelHost:
    """The workbench's page as a ``PanelHost``."""

    def __init__(self, workbench: WorkbenchActions, session: Any, fields: Sequence[Any], events: Sequence[Any]) -> None:
        self._workbench = workbench
        self._fields = list(fields)
        self._events = list(events)
        self.session = session

    def inputs(self) -> Sequence[Any]:
        """The message, the conversation and the longest reply."""
        return self._fields

    def request(self, values: Sequence[Any]) -> PageRequest:
        question, conversation, reply_tokens = values
        turn = self._workbench.turn(turns_of(conversation), int(reply_tokens))
        count = turn.count_tokens if turn is not None else estimate_tokens
        return PageRequest(THIS_PAGE, question or "", turn, int(reply_tokens), count, turn is None)

    def prompt(self, session: ChatSession, values: Sequence[Any]) -> str:
        question, conversation, reply_tokens = values
        return self._workbench.prompt(question or "", turns_of(conversation), int(reply_tokens), session)

    def documents_blocked(self) -> str:
        return ""

    def plainformat_separator(self) -> str | None:
        return self._workbench.plainformat_separator()

    def on_chat_change(self, function: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        for event in self._events:
            event(function, list(inputs), list(outputs), **quiet(event))

    def on_typing(self, function: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        blur = self._fields[0].blur
        blur(function, list(inputs), list(outputs), **quiet(blur))


def create_workbench_page(workbench: WorkbenchActions) -> Any:
    """The Gradio Blocks of the page; each browser tab has a conversation and documents of its own."""
    import gradio as gr

    with gr.Blocks(title="airoboros_longctx workbench", analytics_enabled=False) as page:
        gr.Markdown(
            "# airoboros_longctx workbench\n"
            "Chat with a RoPE-scaled Llama. Its context is scaled when it is loaded, and confirmed on the live model."
        )
        with gr.Row(equal_height=False):
            folder = gr.Dropdown(
                [(path.replace("\\", "/").rpartition("/")[2], path) for path in workbench.shipped_models()],
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
        create_documents_panel(host, workbench.prompts, workbench.settings.document_options)

        def on_load(path: str) -> str:
            try:
                workbench.load(path or "")
            except AiroborosLongctxError as error:
                raise gr.Error(str(error), title="Not loaded") from error
            return status_html(workbench.service.status())

        def answered(
            text: str, before: list[Said], mine: ChatSession | None, tokens: float, heat: float, kept: str
        ) -> Iterator[tuple[Any, ...]]:
            """Stream the answer to ``text`` after ``before``; ``kept`` is the message box's text meanwhile."""
            event = threading.Event()
            code = mine is not None and mine.plainformat and not mine.active_documents(THIS_PAGE)
            said = Said(text, "", code and workbench.plainformat_separator() is not None)
            yield messages_of([*before, said]), kept, event, before
            for reply in workbench.reply(text, turns_of(before), int(tokens), float(heat), event, mine):
                said = replace(said, reply=reply)
                yield messages_of([*before, said]), kept, event, gr.skip()
            yield messages_of([*before, said]), kept, None, [*before, said]

        def on_send(
            text: str, before: list[Said], mine: ChatSession | None, tokens: float, heat: float
        ) -> Iterator[tuple[Any, ...]]:
            if not text.strip():
                raise gr.Error("The message is empty; type a question first.", title="Not sent")
            try:
                yield from answered(text, before, mine, tokens, heat, "")
            except AiroborosLongctxError as error:
                yield messages_of(before), text, None, before
                raise gr.Error(str(error), title="Not answered") from error

        def on_regenerate(
            typed: str, before: list[Said], mine: ChatSession | None, tokens: float, heat: float
        ) -> Iterator[tuple[Any, ...]]:
            if not before:
                raise gr.Error("There is no reply yet; send a message first.", title="Nothing to regenerate")
            try:
                yield from answered(before[-1].question, before[:-1], mine, tokens, heat, typed)
            except AiroborosLongctxError as error:
                yield messages_of(before), typed, None, before
                raise gr.Error(str(error), title="Not answered") from error

        def on_stop(event: threading.Event | None) -> None:
            if event is not None:
                event.set()

        asking = [question, conversation, session, max_new_tokens, temperature]
        answering = [chat, question, stopping, conversation]
        for event in (send.click, question.submit):
            event(on_send, asking, answering, show_progress="hidden")
        regenerate.click(on_regenerate, asking, answering, show_progress="hidden")
        stop.click(on_stop, stopping, None, queue=False, show_progress="hidden")
        chat.clear(lambda: [], None, conversation, show_progress="hidden")
        load.click(on_load, folder, line)
    return page
