"""What the Documents panel does with the page's session. A step changes it and is quick; ``view.py`` shows it.

They are two events, and only a step writes the session: looking counts tokens, which takes a while in long documents,
and must not write back a session that has changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.documents.chat_session import ChatDocument, ChatSession
from ...core.documents.place import Place
from ...core.documents.shelves import DocumentShelves
from ...core.errors import AiroborosLongctxError
from ...core.prompts.document_options import DocumentOptions
from ..panel_host import PanelHost
from .action_request import ActionRequest, parse_action
from .actions import DocumentActions, Form, Removed, document_of, form_of
from .choices import too_long_of
from .messages import said_html, sentence_of
from .preview import preview_html
from .scope_names import NAMES, scope_named

PASTE = "Paste a text"


@dataclass(frozen=True)
class Editing:
    """What the panel remembers between its steps: the id of the document in the form, and what was removed last."""

    id: str | None = None
    removed: Removed | None = None


@dataclass(frozen=True)
class Done:
    """What a step leaves: the session, and where they change the form, a word for the person and the preview."""

    session: ChatSession
    editing: Editing
    form: Form | None = None
    said: str = ""
    problem: str = ""
    undo: bool = False
    preview: str | None = None


#: Given the session, its place, what is being edited and the form's fields.
Step = Callable[[ChatSession, Place, Editing, Form, str], Done]


class DocumentSteps:
    """The panel's behaviour. Every change gives the page a new ChatSession; nothing is kept here."""

    def __init__(self, host: PanelHost, shelves: DocumentShelves, options: DocumentOptions) -> None:
        self._host = host
        self._shelves = shelves
        self._options = options

    def session(self, value: ChatSession | None) -> ChatSession:
        return value if value is not None else ChatSession(self._options)

    # -- events: [session, editing, said, editor, title, metadata, text, preview] -------------------------------------

    def handler(self, step: Step) -> Callable[..., list[Any]]:
        """An event handler around ``step``: what goes wrong becomes a sentence in the panel, and nothing is lost."""

        def handle(value: Any, editing: Any, add_to: Any, title: Any, metadata: Any, text: Any, *fields: Any) -> Any:
            form = Form(str(title or ""), str(metadata or ""), str(text or ""))

            def filled(session: ChatSession, place: Place, before: Editing) -> Done:
                return step(session, place, before, form, str(add_to or ""))

            return self._shown(value, editing, fields, filled)

        return handle

    def on_action(self, value: Any, editing: Any, action: Any, *fields: Any) -> list[Any]:
        """What the list's buttons ask for."""

        def asked(session: ChatSession, place: Place, before: Editing) -> Done:
            wanted = parse_action(action)
            if wanted.do == "preview":  # a source may be a file that the host attached to a message
                for one in self._host.request(session, fields).attached:
                    if one.id == wanted.id:
                        return Done(session, before, preview=_preview(one, wanted))
            return self._asked(wanted, session, place, before)

        return self._shown(value, editing, fields, asked)

    def on_brought(self, value: Any, editing: Any, add_to: Any, brought: Any, *fields: Any) -> list[Any]:
        """Documents that were read become the page's: a handler's outputs, and nothing brought any more."""

        def step(session: ChatSession, place: Place, before: Editing) -> Done:
            documents, words, problem = brought or ((), "", "")
            if documents:
                session = self._with(session, place, scope_named(add_to, place), documents)
            return Done(session, before, None, words, problem)

        return [*self._shown(value, editing, fields, step), None]

    def _shown(
        self,
        value: ChatSession | None,
        editing: Editing | None,
        fields: Sequence[Any],
        step: Callable[[ChatSession, Place, Editing], Done],
    ) -> list[Any]:
        import gradio as gr

        session, editing = self.session(value), editing or Editing()
        try:
            done = step(session, self._host.request(session, fields).place, editing)
        except Exception as error:
            words = said_html(sentence_of(error, "That did not work"), True)
            return [session, editing, words, *(gr.update() for _ in range(5))]
        words = said_html(" ".join(filter(None, (done.said, done.problem))), bool(done.problem), done.undo)
        preview = gr.update() if done.preview is None else done.preview
        return [done.session, done.editing, words, *_fields(done), preview]

    # -- the form -------------------------------------------------------------------------------------------------

    def _actions(self, session: ChatSession, place: Place) -> DocumentActions:
        return DocumentActions(self._shelves, session, place)

    def _with(self, session: ChatSession, place: Place, scope: str, documents: Sequence[ChatDocument]) -> ChatSession:
        if self._host.documents_blocked():
            raise AiroborosLongctxError(self._host.documents_blocked())
        return self._actions(session, place).add(scope, *documents)

    def on_add(self, session: ChatSession, place: Place, editing: Editing, form: Form, add_to: str) -> Done:
        scope, document = scope_named(add_to, place), document_of(form)
        said = f"Added: {document.name}."
        return Done(self._with(session, place, scope, [document]), editing, Form(), said)

    def on_save(self, session: ChatSession, place: Place, editing: Editing, form: Form, add_to: str) -> Done:
        if editing.id is None:
            raise AiroborosLongctxError("No document is being edited; press Edit in its row first.")
        saved = self._actions(session, place).save(editing.id, form)
        return Done(saved, editing, None, "Saved.")

    def on_close(self, session: ChatSession, place: Place, editing: Editing, form: Form, add_to: str) -> Done:
        return Done(session, replace(editing, id=None), Form())

    # -- the list -------------------------------------------------------------------------------------------------

    def _asked(self, asked: ActionRequest, session: ChatSession, place: Place, editing: Editing) -> Done:
        actions = self._actions(session, place)
        if asked.do == "undo":
            again = actions.undo(editing.removed)
            return Done(again, replace(editing, removed=None), None, "The document is back.")
        if asked.do == "close-preview":
            return Done(session, editing, preview="")
        document = actions.found(asked.id).document
        if asked.do == "switch":
            return Done(actions.switch(asked.id, asked.on), editing)
        if asked.do in ("up", "down"):
            return Done(actions.move(asked.id, -1 if asked.do == "up" else 1), editing)
        if asked.do == "scope":
            moved = actions.rescope(asked.id, asked.scope)
            return Done(moved, editing, None, f"{document.name}: {NAMES[asked.scope].lower()}.")
        if asked.do == "preview":
            return Done(session, editing, preview=_preview(document, asked))
        if asked.do == "edit":
            return Done(session, replace(editing, id=asked.id), form_of(document))
        after, removed = actions.remove(asked.id)
        edited = editing.id == asked.id
        left = Editing(None if edited else editing.id, removed)
        return Done(after, left, Form() if edited else None, f"Removed: {document.name}.", undo=True, preview="")

    def on_open(self, value: Any, request: Any) -> Any:
        """The page learns who opened it, where its host asks people to log in."""
        import gradio as gr

        person = getattr(request, "username", None)
        return replace(self.session(value), person=str(person)) if person else gr.update()

    # -- the choices ----------------------------------------------------------------------------------------------

    def on_options(self, value: ChatSession | None, *ticks: Any) -> ChatSession:
        """The ticks, the temperature and what happens to what is too long, as they stand in the panel."""
        session = self.session(value)
        only, sources, without_history, lines, attachments, sampling, temperature, when_too_long = ticks
        heat = temperature if isinstance(temperature, (int, float)) else session.options.temperature
        chosen = too_long_of(when_too_long) or session.options.when_too_long
        options = replace(
            session.options,
            only_from_documents=bool(only),
            name_sources=bool(sources),
            without_history=bool(without_history),
            one_instruction_per_line=bool(lines),
            attachments=bool(attachments),
            own_sampling=bool(sampling),
            temperature=min(max(float(heat), 0.0), 2.0),
            when_too_long=chosen,
        )
        return replace(session, options=options)


def _preview(document: ChatDocument, asked: ActionRequest) -> str:
    return preview_html(document, asked.start, asked.end, asked.number)


def _fields(done: Done) -> list[Any]:
    """[editor, title, metadata, text]: the editor is open and says what it edits as soon as a document is in it."""
    import gradio as gr

    form = done.form
    if form is None:
        return [gr.update() for _ in range(4)]
    if done.editing.id is not None and form != Form():
        return [gr.update(label=f"Edit {form.title or 'a document'}", open=True), form.title, form.metadata, form.text]
    return [gr.update(label=PASTE), form.title, form.metadata, form.text]
