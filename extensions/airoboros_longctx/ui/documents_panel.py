"""The Documents panel: bring documents in, order them, see what fills the window, read the exact prompt."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.chat_session import ChatSession, DocumentOptions
from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted
from ..prompt_service import PageRequest, PromptService
from . import document_actions as actions
from .budget_bar import budget_bar
from .document_actions import Form
from .gradio_versions import copyable, quiet
from .panel_host import PanelHost
from .plainformat_panel import create_plainformat_panel, plainformat_note
from .uploads import TYPES, create_upload, read_upload

_NONE_YET = "No documents in this chat yet."


@dataclass(frozen=True)
class Shown:
    """What the panel shows after an action: the session, the chosen row, and the form if it changes."""

    session: ChatSession
    row: int | None
    form: Form | None = None
    said: str = ""


Step = Callable[[ChatSession, PageRequest, "int | None", Form], Shown]


def rows_of(session: ChatSession, request: PageRequest) -> list[str]:
    """One line per document; its number at the start is how a choice is read back."""
    lines = []
    for number, document in enumerate(session.documents_of(request.chat), 1):
        tokens = f"{'about ' if request.estimated else ''}{request.count_tokens(document.text)} tokens"
        name = quoted(document.title, 60) or quoted(document.text, 40)
        lines.append(f"{number}. {name} · {tokens}{'' if document.on else ' · off'}")
    return lines


def row_of(choice: str | None) -> int | None:
    """The row, from 0, that a line of ``rows_of`` stands for."""
    number = str(choice or "").partition(".")[0]
    return int(number) - 1 if number.isdigit() else None


class DocumentsPanel:
    """The panel's behaviour. Every change gives the page a new ChatSession; nothing is kept here."""

    def __init__(self, host: PanelHost, prompts: PromptService, options: DocumentOptions) -> None:
        self.host = host
        self._prompts = prompts
        self._options = options

    def session(self, value: ChatSession | None) -> ChatSession:
        return value if value is not None else ChatSession(self._options)

    def handler(self, step: Step) -> Callable[..., list[Any]]:
        """An event handler around ``step``: what goes wrong becomes a sentence in the panel, and nothing is lost."""

        def handle(value: Any, choice: Any, title: Any, metadata: Any, text: Any, *fields: Any) -> list[Any]:
            session, row = self.session(value), row_of(choice)
            form = Form(str(title or ""), str(metadata or ""), str(text or ""))
            request, problem = None, ""
            try:
                request = self.host.request(fields)
                shown = step(session, request, row, form)
            except AiroborosLongctxError as error:
                shown, problem = Shown(session, row), str(error)
            except Exception as error:
                shown, problem = Shown(session, row), f"That did not work: {type(error).__name__}: {error}"
            return self._view(shown, request, problem)

        return handle

    def looker(self, step: Step) -> Callable[..., list[Any]]:
        """A handler for a step that changes no document. It writes no session, so a change that is under way at the
        same time is never taken back, and what was said stays to be read."""
        import gradio as gr

        handle = self.handler(step)

        def look(*fields: Any) -> list[Any]:
            _, said, *view = handle(*fields)
            return [said or gr.update(), *view]

        return look

    def _view(self, shown: Shown, request: PageRequest | None, problem: str) -> list[Any]:
        import gradio as gr

        same = gr.update()
        form = shown.form
        fields = [same, same, same] if form is None else [form.title, form.metadata, form.text]
        if request is None:
            return [shown.session, _said(problem, True), same, same, same, *fields, same]
        try:
            bar = self.bar(shown.session, request)
            rows = rows_of(shown.session, request)
        except Exception as error:
            bar, rows = "", []
            problem = problem or f"The tokens could not be counted: {type(error).__name__}: {error}"
        chosen = rows[shown.row] if shown.row is not None and 0 <= shown.row < len(rows) else None
        other = actions.other_chat(shown.session, request.chat)
        count = len(shown.session.documents_of(other)) if other is not None else 0
        return [
            shown.session,
            _said(problem or self.host.documents_blocked() or shown.said, bool(problem)),
            bar,
            gr.update(choices=rows, value=chosen, visible=bool(rows)),
            gr.update(visible=bool(count), value=f"Use the {count} documents of the other chat here too"),
            *fields,
            plainformat_note(shown.session, request.chat, self.host.plainformat_separator()),
        ]

    def bar(self, session: ChatSession, request: PageRequest) -> str:
        """The budget bar as HTML; a line where this chat has no documents or no model is loaded to ask."""
        if not session.documents_of(request.chat):
            return f'<p class="airoboros-longctx-note">{_NONE_YET}</p>'
        documents = session.active_documents(request.chat)
        if request.turn is None:
            tokens = sum(request.count_tokens(document.text) for document in documents)
            words = f"About {tokens} tokens in documents that are on (estimated: no model is loaded)."
            return f'<p class="airoboros-longctx-note">{words}</p>'
        budget = self._prompts.budget(documents, request.question, session.options, request.turn, request.reply_tokens)
        return budget_bar(budget, request.estimated)

    # -- the steps ------------------------------------------------------------------------------------------------

    def _allowed(self) -> None:
        if self.host.documents_blocked():
            raise AiroborosLongctxError(self.host.documents_blocked())

    def on_add(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        self._allowed()
        return Shown(actions.add(session, request.chat, actions.document_of(form)), None, Form(), "Added.")

    def on_save(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        return Shown(actions.save(session, request.chat, row, form), row, None, "Saved.")

    def on_choose(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        documents = session.documents_of(request.chat)
        there = row is not None and row < len(documents)
        return Shown(session, row, actions.form_of(documents[row]) if there and row is not None else None)

    def on_switch(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        return Shown(actions.switch(session, request.chat, row), row)

    def on_up(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        return Shown(*actions.move(session, request.chat, row, -1))

    def on_down(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        return Shown(*actions.move(session, request.chat, row, 1))

    def on_remove(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        return Shown(actions.remove(session, request.chat, row), None, Form(), "Removed.")

    def on_take_over(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        self._allowed()
        return Shown(actions.take_over(session, request.chat), None)

    def on_look(self, session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
        return Shown(session, row)

    def on_typing(self, value: Any, choice: Any, title: Any, metadata: Any, text: Any, *fields: Any) -> Any:
        """The bar alone: this runs while another field is clicked, and nothing may move under the pointer."""
        import gradio as gr

        session = self.session(value)
        try:
            request = self.host.request(fields)
            return self.bar(session, request) if session.documents_of(request.chat) else gr.update()
        except Exception:  # said where it matters: when documents are changed or the prompt is built
            return gr.update()

    def on_upload(self, files: Any, *fields: Any) -> list[Any]:
        """Files become documents one by one; one that cannot be read is named, and the others are taken."""

        def step(session: ChatSession, request: PageRequest, row: int | None, form: Form) -> Shown:
            self._allowed()
            read, problems = [], []
            for file in files if isinstance(files, list) else [files] if files else []:
                try:
                    read.append(read_upload(file))
                except AiroborosLongctxError as error:
                    problems.append(str(error))
            if read:
                session, row = actions.add(session, request.chat, *read), None
            return Shown(session, row, None, " ".join([f"{len(read)} added.", *problems]))

        return [*self.handler(step)(*fields), None]

    def on_options(self, value: Any, *ticks: Any) -> ChatSession:
        only, sources, without_history, sampling, temperature = ticks
        options = DocumentOptions(bool(only), bool(sources), bool(without_history), bool(sampling), float(temperature))
        return replace(self.session(value), options=options)

    def on_prompt(self, value: Any, *fields: Any) -> str:
        try:
            return self.host.prompt(self.session(value), fields)
        except AiroborosLongctxError as error:
            return str(error)
        except Exception as error:
            return f"The prompt could not be built: {type(error).__name__}: {error}"


def _said(words: str, problem: bool = False) -> str:
    if not words:
        return ""
    role = "alert" if problem else "status"
    return f'<p class="airoboros-longctx-said{" problem" if problem else ""}" role="{role}">{html.escape(words)}</p>'


def create_documents_panel(host: PanelHost, prompts: PromptService, options: DocumentOptions) -> None:
    """Create the panels Documents and PLAINFORMAT in the current Gradio page. ``options`` are the ticks at first."""
    import gradio as gr

    panel = DocumentsPanel(host, prompts, options)
    blocked = bool(host.documents_blocked())
    note = create_plainformat_panel(host, lambda: ChatSession(options))
    with gr.Accordion("Documents", open=False, elem_id="airoboros-longctx-documents"):
        said = gr.HTML(_said(host.documents_blocked()))
        bar = gr.HTML(f'<p class="airoboros-longctx-note">{_NONE_YET}</p>', elem_id="airoboros-longctx-budget")
        chosen = gr.Radio([], label="Documents of this chat, in order", visible=False, interactive=True)
        with gr.Row():
            switch = gr.Button("Switch on or off")
            up = gr.Button("Move up")
            down = gr.Button("Move down")
            remove = gr.Button("Remove")
        take_over = gr.Button("Use the documents of the other chat here too", visible=False)
        with gr.Row():
            with gr.Column():
                title = gr.Textbox(label="Title", placeholder="Named first among the sources")
                metadata = gr.Textbox(
                    label="Metadata", lines=3, placeholder="url: https://web.site/123\ndate: 2021-01-01", max_lines=8
                )
            text = gr.Textbox(label="Document text", lines=6, max_lines=16, placeholder="Paste the text here")
        with gr.Row():
            add = gr.Button("Add document", interactive=not blocked)
            save = gr.Button("Save changes")
        upload = create_upload(label=f"Add files ({', '.join(TYPES)})", interactive=not blocked)
        with gr.Row():
            only = gr.Checkbox(options.only_from_documents, label="Answer from these documents only")
            sources = gr.Checkbox(options.name_sources, label="Name your sources")
            without_history = gr.Checkbox(options.without_history, label="Without chat history")
        with gr.Row():
            sampling = gr.Checkbox(options.own_sampling, label="Sampling for documents (no repetition penalty)")
            temperature = gr.Slider(0, 2, options.temperature, step=0.05, label="Temperature with documents")
        show = gr.Button("Show the exact prompt")
        prompt = gr.Textbox(
            elem_id="airoboros-longctx-exact-prompt",
            label="Exact prompt",
            lines=8,
            max_lines=24,
            interactive=False,
            **copyable(gr.Textbox),
        )
        gr.HTML(
            '<p class="airoboros-longctx-note">Documents belong to the chat they were added in, and are kept while '
            "this page is open. They enter the prompt, not the chat's history.</p>"
        )
    form = [host.session, chosen, title, metadata, text, *host.inputs()]
    view = [host.session, said, bar, chosen, take_over, title, metadata, text, note]
    _connect(panel, form, view, ((add, panel.on_add), (save, panel.on_save), (switch, panel.on_switch)))
    _connect(panel, form, view, ((up, panel.on_up), (down, panel.on_down), (remove, panel.on_remove)))
    _connect(panel, form, view, ((take_over, panel.on_take_over),))
    chose = getattr(chosen, "input", None) or chosen.change
    chose(panel.looker(panel.on_choose), form, view[1:], **quiet(chose))
    upload.upload(panel.on_upload, [upload, *form], [*view, upload])
    ticks = [only, sources, without_history, sampling, temperature]
    look = panel.looker(panel.on_look)
    for tick in ticks:
        changed = tick.release if tick is temperature else tick.change
        event = changed(panel.on_options, [host.session, *ticks], host.session, **quiet(changed))
        event.then(look, form, view[1:], **quiet(event.then))
    host.on_chat_change(look, form, view[1:])
    host.on_typing(panel.on_typing, form, bar)
    show.click(panel.on_prompt, [host.session, *host.inputs()], prompt, **quiet(show.click))


def _connect(
    panel: DocumentsPanel, form: Sequence[Any], view: Sequence[Any], buttons: Sequence[tuple[Any, Step]]
) -> None:
    for button, step in buttons:
        button.click(panel.handler(step), list(form), list(view), **quiet(button.click))
