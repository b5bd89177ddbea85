"""The rolling summary of a document longer than the window: pieces in turn, each read with the summary so far.

A value that goes from step to step, so that a page can show it, stop it and go on. Each prompt has the form that the
3.x models learned for a summary (recipe ``summary``); the summary so far in front of a piece was not trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..formats.form_field import DOCUMENT, NUMBER
from ..packing.passages import edge_before, passages
from ..packing.token_counts import TokenCounter
from ..prompts.closed_context import Document, normalise_document
from ..prompts.look_alikes import defuse_text
from .filling import fill
from .recipe import Recipe, RecipeError

DOCUMENT_FIELD, WORDS_FIELD = "text", "words"
#: A piece with room for less than this is not worth asking about, in tokens.
LEAST_PIECE_TOKENS = 64
#: Counts of parts do not add up to the token.
_SPARE_TOKENS = 8


@dataclass(frozen=True)
class RollingSummary:
    """``done`` of the ``pieces`` are in ``summary``. ``most_summary_tokens`` is what one reply may take."""

    recipe: Recipe
    pieces: tuple[str, ...]
    words: int
    most_summary_tokens: int
    summary: str = ""
    done: int = 0

    @property
    def finished(self) -> bool:
        return self.done == len(self.pieces)

    @property
    def progress(self) -> str:
        """One sentence for people."""
        if self.finished:
            return "The whole text is in the summary."
        return f"Piece {self.done + 1} of {len(self.pieces)}."


def summarises_pieces(recipe: Recipe) -> bool:
    """True for a recipe whose fields are those of a summary, by name and kind, both required."""
    needed = {DOCUMENT_FIELD: (DOCUMENT, True), WORDS_FIELD: (NUMBER, True)}
    return {field.name: (field.kind, field.required) for field in recipe.fields} == needed


def begin_summary(
    recipe: Recipe,
    text: str,
    words: int,
    token_counter: TokenCounter,
    message_tokens: int,
    most_summary_tokens: int,
) -> RollingSummary:
    """``text`` cut into pieces, so that no message of the summary takes more than ``message_tokens``.

    ``recipe`` has a document ``text`` and a number ``words``. Raises RecipeError where there is no text, or no room.
    """
    clean = defuse_text(normalise_document(Document(text)).text)[0].strip()
    if not clean:
        raise RecipeError("The document has no text; there is nothing to summarise.")
    around = token_counter(fill(recipe, {DOCUMENT_FIELD: _after("-", "-"), WORDS_FIELD: words})) + _SPARE_TOKENS
    room = message_tokens - around - most_summary_tokens
    if room < LEAST_PIECE_TOKENS:
        needed = around + most_summary_tokens + LEAST_PIECE_TOKENS
        raise RecipeError(
            f"The window leaves {message_tokens} tokens for a message; a summary needs at least {needed}. Ask for "
            "fewer words, or load the model with a longer context."
        )
    return RollingSummary(recipe, pieces_of(clean, token_counter, room), words, most_summary_tokens)


def next_message(summary: RollingSummary) -> str:
    """The message of the next piece. Raises RecipeError where all are done."""
    if summary.finished:
        raise RecipeError("The whole text is in the summary; no piece is left to read.")
    piece = summary.pieces[summary.done]
    text = _after(summary.summary, piece) if summary.summary else piece
    return fill(summary.recipe, {DOCUMENT_FIELD: text, WORDS_FIELD: summary.words})


def _after(summary: str, piece: str) -> str:
    return f"Summary of what came before:\n{summary}\n\nThe text goes on:\n{piece}"


def with_reply(summary: RollingSummary, reply: str, token_counter: TokenCounter) -> RollingSummary:
    """The next state: ``reply`` is the summary now, cut at a sentence where it is longer than a reply may be."""
    text = defuse_text(reply.strip())[0]
    if not text:
        raise RecipeError("The model's summary is empty; generate it again.")
    shortened = _beginning(text, token_counter, summary.most_summary_tokens)
    return replace(summary, summary=shortened, done=summary.done + 1)


def pieces_of(text: str, token_counter: Callable[[str], int], most_tokens: int) -> tuple[str, ...]:
    """``text`` in pieces of at most ``most_tokens`` each, cut between passages; only blanks between pieces are left
    out. A passage that is longer by itself is cut at a line, a sentence or a word.
    """
    spans = [part for span in passages(text) for part in _fitting_spans(text, span, token_counter, most_tokens)]
    pieces: list[tuple[int, int]] = []
    estimate = 0
    for begin, end in spans:
        tokens = token_counter(text[begin:end]) + 2  # and a line end or two before it
        if pieces and estimate + tokens <= most_tokens:
            pieces[-1] = (pieces[-1][0], end)
            estimate += tokens
        else:
            pieces.append((begin, end))
            estimate = tokens
    fitting = [part for piece in pieces for part in _fitting_spans(text, piece, token_counter, most_tokens)]
    return tuple(text[begin:end].strip() for begin, end in fitting if text[begin:end].strip())


def _fitting_spans(
    text: str, span: tuple[int, int], token_counter: TokenCounter, most_tokens: int
) -> list[tuple[int, int]]:
    begin, end = span
    if end - begin < 2 or token_counter(text[begin:end]) <= most_tokens:
        return [span]
    middle = (begin + end) // 2
    cut = edge_before(text, begin + (end - begin) // 4, middle) if end - begin > 8 else middle
    return [
        *_fitting_spans(text, (begin, cut), token_counter, most_tokens),
        *_fitting_spans(text, (cut, end), token_counter, most_tokens),
    ]


def _beginning(text: str, token_counter: TokenCounter, most_tokens: int) -> str:
    while token_counter(text) > most_tokens and len(text) > 1:
        shorter = len(text) - max(1, len(text) // 8)
        text = text[: edge_before(text, len(text) // 2, shorter)].rstrip() or text[: len(text) // 2]
    return text
