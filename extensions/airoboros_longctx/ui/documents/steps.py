"""What the Documents panel does. A step changes the page's session and is quick; looking computes what is shown.

They are two events, and only a step writes the session: looking counts tokens, which takes a while in long documents,
and must not write back a session that has changed meanwhile.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ...core.chat_session import ChatSession
from ...core.document_options import DocumentOptions
from ...core.document_place import CHAT, Place
from ...core.document_shelves import DocumentShelves, Shelved
from ...core.errors import AiroborosLongctxError
from ...prompt_service import PageRequest, PromptService
from ..panel_host import PanelHost
from ..plainformat_panel import plainformat_view
from .actions import DocumentActions, Form, document_of, form_of
from .budget_bar import budget_bar, what_gave_way
from .rows import heading, row_of, rows_of
from .uploads import read_upload

NONE_YET = "No documents in this chat yet."
#: What would be left out is tried and said for documents up to this size; trying takes a dozen token counts.
_TRIED_CHARACTERS = 200_000


@dataclass(frozen=True)
class Done:
    """What a step leaves: the session, the chosen id, the form where it changes, and a word for the person."""

    session: ChatSession
    chosen: str | None = None
    form: Form | None = None
    said: str = ""
    problem: str = ""


Step = Callable[[ChatSession, Place, "str | None", Form], Done]


class DocumentSteps:
    """The panel's behaviour. Every change gives the page a new ChatSession; nothing is kept here."""

    def __init__(
        self, host: PanelHost, prompts: PromptService, shelves: DocumentShelves, options: DocumentOptions
    ) -> None:
        self._host = host
        self._shelves = shelves
        self._prompts = prompts
        self._options = options

    def session(self, value: ChatSession | None) -> ChatSession:
        return value if value is not None else ChatSession(self._options)

    # -- steps: [session, choice, said, title, metadata, text] --------------------------------------------------------

    def handler(self, step: Step) -> Callable[..., list[Any]]:
        """An event handler around ``step``: what goes wrong becomes a sentence in the panel, and nothing is lost."""

        def handle(
            value: ChatSession | None, chosen: str | None, title: Any, metadata: Any, text: Any, *fields: Any
        ) -> list[Any]:
            session = self.session(value)
            try:
                place = self._host.request(session, fields).place
                done = step(session, place, chosen, Form(str(title or ""), str(metadata or ""), str(text or "")))
            except Exception as error:
                return [session, chosen, said_html(_sentence(error, "That did not work"), True), *_fields(None)]
            words = said_html(" ".join(filter(None, (done.said, done.problem))), bool(done.problem))
            return [done.session, done.chosen, words, *_fields(done.form)]

        return handle

    def _actions(self, session: ChatSession, place: Place) -> DocumentActions:
        return DocumentActions(self._shelves, session, place)

    def _allowed(self) -> None:
        if self._host.documents_blocked():
            raise AiroborosLongctxError(self._host.documents_blocked())

    def on_add(self, session: ChatSession, place: Place, chosen: str | None, form: Form) -> Done:
        self._allowed()
        return Done(self._actions(session, place).add(CHAT, document_of(form)), None, Form(), "Added.")

    def on_save(self, session: ChatSession, place: Place, chosen: str | None, form: Form) -> Done:
        return Done(self._actions(session, place).save(_one(chosen), form), chosen, None, "Saved.")

    def on_switch(self, session: ChatSession, place: Place, chosen: str | None, form: Form) -> Done:
        actions = self._actions(session, place)
        return Done(actions.switch(_one(chosen), not actions.found(_one(chosen)).document.on), chosen)

    def on_up(self, session: ChatSession, place: Place, chosen: str | None, form: Form) -> Done:
        return Done(self._actions(session, place).move(_one(chosen), -1), chosen)

    def on_down(self, session: ChatSession, place: Place, chosen: str | None, form: Form) -> Done:
        return Done(self._actions(session, place).move(_one(chosen), 1), chosen)

    def on_remove(self, session: ChatSession, place: Place, chosen: str | None, form: Form) -> Done:
        return Done(self._actions(session, place).remove(_one(chosen))[0], None, Form(), "Removed.")

    def on_close(self, session: ChatSession, place: Place, chosen: str | None, form: Form) -> Done:
        return Done(session, None, Form())

    def on_upload(self, files: Any, *given: Any) -> list[Any]:
        """Files become documents one by one; one that cannot be read is named, and the others are taken."""

        def step(session: ChatSession, place: Place, chosen: str | None, form: Form) -> Done:
            self._allowed()
            read, problems = [], []
            for file in files if isinstance(files, list) else [files] if files else []:
                try:
                    read.append(read_upload(file))
                except AiroborosLongctxError as error:
                    problems.append(str(error))
            after = self._actions(session, place).add(CHAT, *read)
            return Done(after, chosen, None, f"{len(read)} added.", " ".join(problems))

        return [*self.handler(step)(*given), None]

    def on_options(self, value: ChatSession | None, *ticks: Any) -> ChatSession:
        session = self.session(value)
        only, sources, without_history, sampling, temperature = ticks
        heat = temperature if isinstance(temperature, (int, float)) else session.options.temperature
        heat = min(max(float(heat), 0.0), 2.0)
        options = replace(
            session.options,
            only_from_documents=bool(only),
            name_sources=bool(sources),
            without_history=bool(without_history),
            own_sampling=bool(sampling),
            temperature=heat,
        )
        return replace(session, options=options)

    # -- choosing and looking: neither writes the session -------------------------------------------------------------

    def on_choose(self, value: ChatSession | None, before: str | None, line: Any, *fields: Any) -> list[Any]:
        """The line that was picked: [choice, said, title, metadata, text].

        Gradio 3 and 4 also say this when a line was renumbered; the form's unsaved text must stay then.
        """
        import gradio as gr

        unchanged = [gr.update(), gr.update(), *_fields(None)]
        try:
            there, row = self._there(self.session(value), fields)[1], row_of(line)
            if row is None or not 0 <= row < len(there) or there[row].document.id == before:
                return unchanged
            return [there[row].document.id, "", *_fields(form_of(there[row].document))]
        except Exception as error:
            return [gr.update(), said_html(_sentence(error, "It could not be chosen"), True), *_fields(None)]

    def on_chat_change(self, value: ChatSession | None, chosen: str | None, *fields: Any) -> list[Any]:
        """Another chat's document is no longer chosen, nor in the form: [choice, title, metadata, text, *look]."""
        import gradio as gr

        view = self.look(value, chosen, *fields)
        try:
            there = self._there(self.session(value), fields)[1]
            stays = chosen is None or any(one.document.id == chosen for one in there)
        except Exception:
            stays = True
        return [gr.update() if stays else None, *_fields(None if stays else Form()), *view]

    def _there(self, session: ChatSession, fields: Any) -> tuple[PageRequest, tuple[Shelved, ...]]:
        request = self._host.request(session, fields)
        return request, self._shelves.shelved(session, request.place)

    def look(self, value: ChatSession | None, chosen: str | None, *fields: Any) -> list[Any]:
        """What the panel shows: [heading, bar, list, actions, adding, PLAINFORMAT's two]."""
        import gradio as gr

        session = self.session(value)
        try:
            request, there = self._there(session, fields)
            rows, bar = rows_of(there, request), self._bar(session, request, there)
        except Exception as error:
            sentence = said_html(_sentence(error, "The tokens could not be counted"), True)
            return [gr.update(), sentence, *(gr.update() for _ in range(5))]
        line = next((row for row, one in zip(rows, there, strict=True) if one.document.id == chosen), None)
        on = any(one.document.on for one in there)
        return [
            gr.update(label=heading(there)),
            bar,
            gr.update(choices=rows, value=line, visible=bool(rows)),
            gr.update(visible=line is not None),
            gr.update(visible=line is None),
            *plainformat_view(on, self._host.plainformat_separator()),
        ]

    def on_typing(self, value: ChatSession | None, *fields: Any) -> Any:
        """The bar alone: this runs while another field is clicked, and nothing may move under the pointer."""
        import gradio as gr

        session = self.session(value)
        try:
            request, there = self._there(session, fields)
            return self._bar(session, request, there) if there else gr.update()
        except Exception:  # said where it matters: when documents are changed or the prompt is built
            return gr.update()

    def _bar(self, session: ChatSession, request: PageRequest, there: tuple[Shelved, ...]) -> str:
        """The budget bar as HTML; a line where this chat has no documents or no model is loaded to ask."""
        if not there:
            return note_html(NONE_YET)
        documents, turn = [one.document.block() for one in there if one.document.on], request.turn
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


def _one(chosen: str | None) -> str:
    if chosen is None:
        raise AiroborosLongctxError("No document is chosen; choose one in the list first.")
    return chosen


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
