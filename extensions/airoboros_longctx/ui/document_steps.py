"""What the Documents panel does. A step changes the page's session and is quick; looking computes what is shown.

They are two events, and only a step writes the session: looking counts tokens, which takes a while in long documents,
and must not write back a session that has changed meanwhile.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..core.chat_session import ChatSession, DocumentOptions
from ..core.errors import AiroborosLongctxError
from ..prompt_service import PageRequest, PromptService
from . import document_actions as actions
from .budget_bar import budget_bar, what_gave_way
from .document_actions import Form
from .document_rows import Choice, heading, row_in, row_of, rows_of
from .panel_host import PanelHost
from .plainformat_panel import plainformat_view
from .uploads import read_upload

NONE_YET = "No documents in this chat yet."
#: What would be left out is tried and said for documents up to this size; trying takes a dozen token counts.
_TRIED_CHARACTERS = 200_000


@dataclass(frozen=True)
class Done:
    """What a step leaves: the session, the chosen row, the form where it changes, and a word for the person."""

    session: ChatSession
    row: int | None = None
    form: Form | None = None
    said: str = ""
    problem: str = ""


Step = Callable[[ChatSession, str, "int | None", Form], Done]


class DocumentSteps:
    """The panel's behaviour. Every change gives the page a new ChatSession; nothing is kept here."""

    def __init__(self, host: PanelHost, prompts: PromptService, options: DocumentOptions) -> None:
        self._host = host
        self._prompts = prompts
        self._options = options

    def session(self, value: ChatSession | None) -> ChatSession:
        return value if value is not None else ChatSession(self._options)

    # -- steps: [session, choice, said, title, metadata, text] --------------------------------------------------------

    def handler(self, step: Step) -> Callable[..., list[Any]]:
        """An event handler around ``step``: what goes wrong becomes a sentence in the panel, and nothing is lost."""

        def handle(
            value: ChatSession | None, choice: Choice | None, title: Any, metadata: Any, text: Any, *fields: Any
        ) -> list[Any]:
            session, chat = self.session(value), None
            try:
                chat = self._host.request(fields).chat
                row = row_in(choice, session, chat)
                done = step(session, chat, row, Form(str(title or ""), str(metadata or ""), str(text or "")))
            except Exception as error:
                return [session, choice, said_html(_sentence(error, "That did not work"), True), *_fields(None)]
            chosen = Choice(chat, done.row) if done.row is not None else None
            words = said_html(" ".join(filter(None, (done.said, done.problem))), bool(done.problem))
            return [done.session, chosen, words, *_fields(done.form)]

        return handle

    def _allowed(self) -> None:
        if self._host.documents_blocked():
            raise AiroborosLongctxError(self._host.documents_blocked())

    def on_add(self, session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
        self._allowed()
        return Done(actions.add(session, chat, actions.document_of(form)), None, Form(), "Added.")

    def on_save(self, session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
        return Done(actions.save(session, chat, row, form), row, None, "Saved.")

    def on_switch(self, session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
        return Done(actions.switch(session, chat, row), row)

    def on_up(self, session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
        return Done(*actions.move(session, chat, row, -1))

    def on_down(self, session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
        return Done(*actions.move(session, chat, row, 1))

    def on_remove(self, session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
        return Done(actions.remove(session, chat, row), None, Form(), "Removed.")

    def on_close(self, session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
        return Done(session, None, Form())

    def on_take_over(self, session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
        self._allowed()
        return Done(actions.take_over(session, chat))

    def on_upload(self, files: Any, *given: Any) -> list[Any]:
        """Files become documents one by one; one that cannot be read is named, and the others are taken."""

        def step(session: ChatSession, chat: str, row: int | None, form: Form) -> Done:
            self._allowed()
            read, problems = [], []
            for file in files if isinstance(files, list) else [files] if files else []:
                try:
                    read.append(read_upload(file))
                except AiroborosLongctxError as error:
                    problems.append(str(error))
            return Done(actions.add(session, chat, *read), row, None, f"{len(read)} added.", " ".join(problems))

        return [*self.handler(step)(*given), None]

    def on_options(self, value: ChatSession | None, *ticks: Any) -> ChatSession:
        session = self.session(value)
        only, sources, without_history, sampling, temperature = ticks
        heat = temperature if isinstance(temperature, (int, float)) else session.options.temperature
        heat = min(max(float(heat), 0.0), 2.0)
        options = DocumentOptions(bool(only), bool(sources), bool(without_history), bool(sampling), heat)
        return replace(session, options=options)

    # -- choosing and looking: neither writes the session -------------------------------------------------------------

    def on_choose(self, value: ChatSession | None, before: Choice | None, line: Any, *fields: Any) -> list[Any]:
        """The line that was picked: [choice, said, title, metadata, text].

        Gradio 3 and 4 also say this when a line was renumbered; the form's unsaved text must stay then.
        """
        import gradio as gr

        unchanged = [gr.update(), gr.update(), *_fields(None)]
        try:
            session, chat, row = self.session(value), self._host.request(fields).chat, row_of(line)
            choice = Choice(chat, row) if row is not None else None
            row = row_in(choice, session, chat)
            if row is None or choice == before:
                return unchanged
            return [choice, "", *_fields(actions.form_of(session.documents_of(chat)[row]))]
        except Exception as error:
            return [gr.update(), said_html(_sentence(error, "It could not be chosen"), True), *_fields(None)]

    def on_chat_change(self, value: ChatSession | None, choice: Choice | None, *fields: Any) -> list[Any]:
        """Another chat's document is no longer chosen, nor in the form: [choice, title, metadata, text, *look]."""
        import gradio as gr

        view = self.look(value, choice, *fields)
        try:
            stays = choice is None or choice.chat == self._host.request(fields).chat
        except Exception:
            stays = True
        return [gr.update() if stays else None, *_fields(None if stays else Form()), *view]

    def look(self, value: ChatSession | None, choice: Choice | None, *fields: Any) -> list[Any]:
        """What the panel shows: [heading, bar, list, actions, adding, take over, PLAINFORMAT's two]."""
        import gradio as gr

        session = self.session(value)
        try:
            request = self._host.request(fields)
            rows, bar = rows_of(session, request), self._bar(session, request)
        except Exception as error:
            sentence = said_html(_sentence(error, "The tokens could not be counted"), True)
            return [gr.update(), sentence, *(gr.update() for _ in range(6))]
        row = row_in(choice, session, request.chat)
        chosen = rows[row] if row is not None else None
        other = actions.other_chat(session, request.chat)
        count = len(session.documents_of(other)) if other is not None else 0
        there = f"Use the {count} document{'' if count == 1 else 's'} of the other chat here too"
        return [
            gr.update(label=heading(session, request.chat)),
            bar,
            gr.update(choices=rows, value=chosen, visible=bool(rows)),
            gr.update(visible=chosen is not None),
            gr.update(visible=chosen is None),
            gr.update(visible=bool(count), value=there),
            *plainformat_view(session, request.chat, self._host.plainformat_separator()),
        ]

    def on_typing(self, value: ChatSession | None, *fields: Any) -> Any:
        """The bar alone: this runs while another field is clicked, and nothing may move under the pointer."""
        import gradio as gr

        session = self.session(value)
        try:
            request = self._host.request(fields)
            return self._bar(session, request) if session.documents_of(request.chat) else gr.update()
        except Exception:  # said where it matters: when documents are changed or the prompt is built
            return gr.update()

    def _bar(self, session: ChatSession, request: PageRequest) -> str:
        """The budget bar as HTML; a line where this chat has no documents or no model is loaded to ask."""
        if not session.documents_of(request.chat):
            return note_html(NONE_YET)
        documents, turn = session.active_documents(request.chat), request.turn
        if turn is None:
            tokens = sum(request.count_tokens(document.text) for document in documents)
            return note_html(f"About {tokens} tokens in documents that are on (estimated: no model is loaded).")
        asked = (documents, request.question, session.options, turn)
        budget = self._prompts.budget(*asked, request.reply_tokens)
        gives_way: list[str] = []
        if budget.free < 0 and documents and sum(len(document.text) for document in documents) <= _TRIED_CHARACTERS:
            try:
                gives_way = what_gave_way(self._prompts.build(*asked))
            except AiroborosLongctxError as error:
                gives_way = ["Sent now, it would be refused.", str(error)]
        return budget_bar(budget, request.estimated, gives_way)

    def on_prompt(self, value: ChatSession | None, *fields: Any) -> str:
        """The exact prompt, or the sentence that says why there is none."""
        try:
            return self._host.prompt(self.session(value), fields)
        except Exception as error:
            return _sentence(error, "The prompt could not be built")


def _fields(form: Form | None) -> list[Any]:
    import gradio as gr

    return [gr.update()] * 3 if form is None else [form.title, form.metadata, form.text]


def _sentence(error: Exception, what: str) -> str:
    return str(error) if isinstance(error, AiroborosLongctxError) else f"{what}: {type(error).__name__}: {error}"


def note_html(words: str) -> str:
    return f'<p class="airoboros-longctx-note">{html.escape(words)}</p>'


def said_html(words: str, problem: bool = False) -> str:
    if not words:
        return ""
    role = "alert" if problem else "status"
    return f'<p class="airoboros-longctx-said{" problem" if problem else ""}" role="{role}">{html.escape(words)}</p>'
