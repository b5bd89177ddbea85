"""The use case of asking: documents, question and ticks become the exact prompt, within the window.

The host renders (it knows its templates, history and tokenizer); what stands in the message, what gives way when
the window is too small, and what is refused, is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .core.closed_context import ClosedContext, Document, defuse_and_count, render
from .core.document_options import SHORTEN, DocumentOptions
from .core.document_place import Place
from .core.instructions import instruction_text
from .core.packing.packed_prompt import BuiltPrompt, LeftOut, SentBlock
from .core.token_budget import fit_to_budget

__all__ = ["BuiltPrompt", "ChatTurn", "LeftOut", "PageRequest", "PromptBudget", "PromptService", "SentBlock"]


class ChatTurn(Protocol):
    """One prompt that the host is about to build. Its lengths are in tokens, with everything the host adds."""

    @property
    def turns(self) -> int:
        """How many earlier turns the chat has."""

    @property
    def limit_tokens(self) -> int:
        """The longest prompt that the host will not cut."""

    @property
    def tokenizer_id(self) -> str:
        """Names the tokenizer that ``count_tokens`` asks: another one has another name. "" where it has no name."""

    def render(self, message: str, turns: int) -> str:
        """The exact prompt with ``message`` from the user after the last ``turns`` earlier turns, uncut."""

    def count_tokens(self, text: str) -> int: ...


#: Stands for no message at all, which a webui would not render; it is counted with the preamble.
_SHORTEST = "."


@dataclass(frozen=True)
class PromptBudget:
    """What fills the window, in tokens: the bar of the Documents panel. ``defused`` marks in documents are harmless.

    ``documents`` has the tokens of each document's block, in order.
    """

    window: int
    preamble: int
    documents: tuple[int, ...]
    history: int
    question: int
    reply: int
    defused: int = 0

    @property
    def free(self) -> int:
        """Below 0 by what does not fit."""
        return self.window - self.preamble - sum(self.documents) - self.history - self.question - self.reply


@dataclass(frozen=True)
class PageRequest:
    """The page as it is now: where it is, what is typed, and the turn that a prompt would be built for.

    ``turn`` is None where no model is loaded; ``count_tokens`` then estimates, and ``estimated`` says so.
    ``counter_id`` names what counts, as ``ChatTurn.tokenizer_id`` does: counts are remembered by it.
    """

    place: Place
    question: str
    turn: ChatTurn | None
    reply_tokens: int
    count_tokens: Callable[[str], int]
    estimated: bool = False
    counter_id: str = ""


class PromptService:
    """Builds the prompts of closed-context questions."""

    def build(
        self, documents: Sequence[Document], question: str, options: DocumentOptions, turn: ChatTurn
    ) -> BuiltPrompt:
        """The prompt for ``question`` over ``documents``.

        Earlier turns give way first, oldest first; then the documents' text is shortened, visibly. Raises
        DoesNotFitError, with the numbers, where the envelope and the question alone are too long.
        """
        context, defused = defuse_and_count(ClosedContext(tuple(documents), instruction_text(question, options)))
        available = 0 if options.without_history else turn.turns
        message = render(context)
        for turns in range(available, -1, -1):
            text = turn.render(message, turns)
            tokens = turn.count_tokens(text)
            if tokens <= turn.limit_tokens:
                return BuiltPrompt(text, message, tokens, turns, available - turns, _sent(context), defused=defused)
        fitted = fit_to_budget(
            context, turn.limit_tokens, lambda shorter: turn.render(render(shorter), 0), turn.count_tokens
        )
        return BuiltPrompt(
            fitted.prompt,
            render(fitted.context),
            fitted.tokens,
            0,
            available,
            _sent(fitted.context),
            tuple(LeftOut(one.document, one.kept_characters, one.of_characters) for one in fitted.shortened),
            SHORTEN,
            defused=defused,
        )

    def document_tokens(
        self, documents: Sequence[Document], count_tokens: Callable[[str], int], counter_id: str
    ) -> tuple[int, ...]:
        """The tokens of each document's whole block, in order; those counted before by ``counter_id`` are remembered.

        For a page without a model too: with its estimate, and ``PageRequest.counter_id``.
        """
        return tuple(count_tokens(render(ClosedContext((one,), ""))) for one in documents)

    def budget(
        self, documents: Sequence[Document], question: str, options: DocumentOptions, turn: ChatTurn, reply_tokens: int
    ) -> PromptBudget:
        """What the whole documents, the history and the question would take, whether they fit or not."""

        def tokens(message: str, turns: int = 0) -> int:
            return turn.count_tokens(turn.render(message, turns))

        empty = tokens(_SHORTEST)
        if not documents:
            question = question if question.strip() else _SHORTEST
            asked, history = tokens(question), tokens(question, turn.turns)
            return PromptBudget(
                turn.limit_tokens + reply_tokens, empty, (), history - asked, asked - empty, reply_tokens
            )
        instruction = instruction_text(question, options)
        bare, in_question = defuse_and_count(ClosedContext((), instruction))
        full, in_all = defuse_and_count(ClosedContext(tuple(documents), instruction))
        message = render(full)
        asked, whole = tokens(render(bare)), tokens(message)
        history = 0 if options.without_history else tokens(message, turn.turns) - whole
        window, defused = turn.limit_tokens + reply_tokens, in_all - in_question
        return PromptBudget(window, empty, (whole - asked,), history, asked - empty, reply_tokens, defused)


def _sent(context: ClosedContext) -> tuple[SentBlock, ...]:
    return tuple(SentBlock(number, block) for number, block in enumerate(context.documents))
