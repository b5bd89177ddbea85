"""The summary of a text longer than the window, piece by piece in the panel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from ...core.errors import AiroborosLongctxError
from ...core.recipes.recipe import Recipe
from ...core.recipes.rolling_summary import (
    DOCUMENT_FIELD,
    WORDS_FIELD,
    RollingSummary,
    begin_summary,
    next_message,
    with_reply,
)
from ...prompt_service import PageRequest
from ..documents.messages import note_html, said_html, sentence_of
from ..panel_host import PanelHost
from .asked_alone import message_tokens, prompt_alone, turn_of
from .filled_form import FilledForm, FilledForms
from .followed_reply import followed
from .leaving import Stopping
from .result_html import text_html
from .shown_state import Pace, busy, idle

#: A reply of so many words may take this many tokens a word, and some more to finish its sentence.
_TOKENS_PER_WORD, _MORE_TOKENS = 2, 64


class Summarising:
    """The handlers yield as ``shown_state.busy`` says."""

    def __init__(self, host: PanelHost, filled: FilledForms) -> None:
        self._host = host
        self._filled = filled

    def begin(self, recipe: Recipe, filled: FilledForm, request: PageRequest) -> RollingSummary:
        """``recipe`` is one that ``summarises_pieces``. Raises RecipeError where the window has no room."""
        stated = {field.name: filled.values.get(field.name) or field.default for field in recipe.fields}
        words = int(stated[WORDS_FIELD])
        most_tokens = min(request.reply_tokens, _TOKENS_PER_WORD * words + _MORE_TOKENS)
        count = turn_of(request).count_tokens
        return begin_summary(recipe, stated[DOCUMENT_FIELD], words, count, message_tokens(request), most_tokens)

    def on_go_on(self, running: Any, session: Any, *page: Any) -> Iterator[list[Any]]:
        """Read the pieces that are left."""
        try:
            if not isinstance(running, RollingSummary):
                raise AiroborosLongctxError("There is no summary to go on with; ask for one first.")
            request = self._host.request(self._filled.session(session), page)
        except Exception as error:
            yield idle(said_html(sentence_of(error, "The summary could not go on"), True), "", running)
            return
        yield from self.follow(running, request, Stopping())

    def follow(self, summary: RollingSummary, request: PageRequest, stopping: threading.Event) -> Iterator[list[Any]]:
        """Read the pieces in turn; what is done stays when it is stopped or fails."""
        try:
            while not summary.finished:
                yield busy(stopping, note_html(summary.progress), _summary_html(summary), summary)
                prompt, reply, pace = prompt_alone(request, next_message(summary)), "", Pace()
                for reply in followed(self._host.reply(prompt, summary.most_summary_tokens, stopping), stopping):
                    if pace.is_due():
                        yield busy(stopping, note_html(summary.progress), text_html(reply), summary)
                if stopping.is_set():
                    yield idle(said_html(f"Stopped. {_how_far(summary)}"), _summary_html(summary), summary)
                    return
                summary = with_reply(summary, reply, turn_of(request).count_tokens)
        except Exception as error:
            words = f"{sentence_of(error, 'The summary failed')} {_how_far(summary)}"
            yield idle(said_html(words, True), _summary_html(summary), summary)
            return
        yield idle(said_html(summary.progress), _summary_html(summary))


def _how_far(summary: RollingSummary) -> str:
    return f"The summary has {summary.done} of {len(summary.pieces)} pieces."


def _summary_html(summary: RollingSummary) -> str:
    return text_html(summary.summary) if summary.summary else ""
