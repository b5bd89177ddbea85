"""What the Documents panel shows of a page's session. Looking counts tokens, and never writes the session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.documents.chat_session import ChatSession
from ...core.documents.shelves import DocumentShelves, Shelved
from ...core.errors import AiroborosLongctxError
from ...core.packing.left_out_sentences import left_out_sentences
from ...core.prompts.closed_context import Document
from ...core.prompts.document_options import PASSAGES, DocumentOptions
from ...prompt_service import ChatTurn, PageRequest, PromptService
from ..panel_host import PanelHost
from ..plainformat_panel import plainformat_view
from .action_request import answered_number
from .budget_bar import budget_bar
from .exact_prompt import exact_prompt_html
from .list_html import heading, list_html
from .messages import note_html, said_html, sentence_of
from .scope_names import kept_sentence, names_of, scope_named
from .steps import PASTE, DocumentSteps, Editing

#: What would be left out is tried and said for documents up to this size, in characters.
_TRIED_CHARACTERS = 4_000_000


class DocumentView:
    """The panel as it looks now: for the session and the place that the page has."""

    def __init__(self, host: PanelHost, prompts: PromptService, shelves: DocumentShelves, steps: DocumentSteps) -> None:
        self._host = host
        self._prompts = prompts
        self._shelves = shelves
        self._steps = steps

    def look(self, value: Any, editing: Any, action: Any, add_to: Any, *fields: Any) -> list[Any]:
        """[heading, bar, list, add to, kept, adding, saving, PLAINFORMAT's two]."""
        import gradio as gr

        session, answered = self._steps.session(value), answered_number(action)
        try:
            request, there = self._there(session, fields)
            place, estimated = request.place, request.estimated
            blocks = [one.document.block() for one in there]
            tokens = self._prompts.document_tokens(blocks, request.count_tokens, request.counter_id)
            bar = self._bar(session, request, there)
            problems, attached = self._shelves.problems(place), [one.name for one in request.attached]
            scope = scope_named(add_to, place)
            kept = kept_sentence(self._shelves, place, scope)
        except Exception as error:
            sentence = said_html(sentence_of(error, "The documents cannot be shown"), True)
            return [gr.update(), sentence, *(gr.update() for _ in range(7))]
        names, on = names_of(place), bool(request.attached) or any(one.document.on for one in there)
        chosen = add_to if add_to in names else names[0]
        edits = editing is not None and any(one.document.id == editing.id for one in there)
        return [
            gr.update(label=heading(there)),
            bar,
            list_html(there, tokens, place.scopes, estimated, answered, problems, attached),
            gr.update(choices=names, value=chosen),
            note_html(kept),
            gr.update(visible=not edits),
            gr.update(visible=edits),
            *plainformat_view(on, self._host.plainformat_separator()),
        ]

    def on_chat_change(self, value: Any, editing: Any, action: Any, add_to: Any, *fields: Any) -> list[Any]:
        """Another chat's document leaves the form: [editing, editor, title, metadata, text, preview, *look]."""
        import gradio as gr

        view = self.look(value, editing, action, add_to, *fields)
        try:
            there = self._there(self._steps.session(value), fields)[1]
            gone = editing is not None and editing.id is not None and editing.id not in _ids(there)
        except Exception:
            gone = False
        if not gone:
            return [*(gr.update() for _ in range(6)), *view]
        return [Editing(None, editing.removed), gr.update(label=PASTE), "", "", "", "", *view]

    def on_typing(self, value: Any, *fields: Any) -> Any:
        """The bar alone: this runs while another field is clicked, and nothing may move under the pointer."""
        import gradio as gr

        session = self._steps.session(value)
        try:
            request, there = self._there(session, fields)
            return self._bar(session, request, there) if there or request.attached else gr.update()
        except Exception:  # said where it matters: when documents are changed or the prompt is built
            return gr.update()

    def on_add_to(self, value: Any, add_to: Any, *fields: Any) -> str:
        """How long documents of the chosen scope are kept."""
        try:
            place = self._host.request(self._steps.session(value), fields).place
            return note_html(kept_sentence(self._shelves, place, scope_named(add_to, place)))
        except Exception as error:
            return said_html(sentence_of(error, "The scope cannot be used"), True)

    def on_prompt(self, value: Any, *fields: Any) -> str:
        """The exact prompt, or the sentence that says why there is none."""
        try:
            return exact_prompt_html(self._host.prompt(self._steps.session(value), fields))
        except Exception as error:
            return said_html(sentence_of(error, "The prompt could not be built"), True)

    def _there(self, session: ChatSession, fields: Sequence[Any]) -> tuple[PageRequest, tuple[Shelved, ...]]:
        request = self._host.request(session, fields)
        return request, self._shelves.shelved(session, request.place)

    def _bar(self, session: ChatSession, request: PageRequest, there: Sequence[Shelved]) -> str:
        """The budget bar; "" where there are no documents, a line where no model is loaded to ask."""
        if not there and not request.attached:
            return ""
        on, turn = [*(one.document for one in there if one.document.on), *request.attached], request.turn
        blocks, titles = [document.block() for document in on], [document.name for document in on]
        if turn is None:
            tokens = sum(self._prompts.document_tokens(blocks, request.count_tokens, request.counter_id))
            return note_html(f"About {tokens} tokens in documents that are on (estimated: no model is loaded).")
        budget = self._prompts.budget(blocks, request.question, session.options, turn, request.reply_tokens)
        gives_way = self._gives_way(blocks, titles, session.options, request, turn) if on and budget.free < 0 else []
        return budget_bar(budget, titles, request.estimated, gives_way)

    def _gives_way(
        self,
        blocks: Sequence[Document],
        titles: Sequence[str],
        options: DocumentOptions,
        request: PageRequest,
        turn: ChatTurn,
    ) -> list[str]:
        """What would be left out if the question were sent now, in sentences."""
        if options.when_too_long == PASSAGES and not request.question.strip():
            return ["Type the question: the passages that matter for it are kept."]
        if sum(len(block.text) for block in blocks) > _TRIED_CHARACTERS:
            return ["What is left out is decided when you send the question."]
        try:
            return left_out_sentences(self._prompts.build(blocks, request.question, options, turn), titles)
        except AiroborosLongctxError as error:
            return ["Sent now, it would be refused.", str(error)]


def _ids(there: Sequence[Shelved]) -> set[str]:
    return {one.document.id for one in there}
