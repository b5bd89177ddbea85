"""The use case of asking: documents, question and ticks become the exact prompt, within the window.

The host renders (it knows its templates, history and tokenizer); what stands in the message, what gives way when
the window is too small, and what is refused, is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .core.documents.chat_session import ChatDocument
from .core.documents.place import Place
from .core.packing.token_counts import TokenCounter, TokenCounts
from .core.prompts.closed_context import Document, block_of, message_of, normalise_document
from .core.prompts.document_options import DocumentOptions
from .core.prompts.instructions import instruction_text

if TYPE_CHECKING:
    from .core.formats.tool_request import ToolRequest
    from .core.packing.packed_prompt import BuiltPrompt
    from .core.packing.token_rates import TokenRates


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
#: Documents of so many characters are counted right away; of longer ones samples say first whether they can fit.
_COUNTED_AT_ONCE = 20_000
#: So many characters for each token of the window fit it in most writing, and are counted right away too.
_SURELY_FITS = 2


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
    ``attached`` are the documents that the host attached to messages; they come after the page's own.
    """

    place: Place
    question: str
    turn: ChatTurn | None
    reply_tokens: int
    count_tokens: Callable[[str], int]
    estimated: bool = False
    counter_id: str = ""
    attached: tuple[ChatDocument, ...] = ()


class PromptService:
    """Builds the prompts of closed-context questions. Counts of tokens are remembered from prompt to prompt."""

    def __init__(self) -> None:
        self._counts = TokenCounts()

    def build(
        self, documents: Sequence[Document], question: str, options: DocumentOptions, turn: ChatTurn
    ) -> BuiltPrompt:
        """The prompt for ``question`` over ``documents``.

        Documents are kept whole as long as they fit: earlier turns give way first, oldest first; then the documents,
        as ``options.when_too_long`` says. Raises DoesNotFitError, with the numbers, where the least is too long.
        """
        from .core.packing.does_not_fit import question_does_not_fit  # here, so that a webui starts without them
        from .core.packing.measured_document import measured_documents, rates_of
        from .core.packing.packer import Window, pack

        instruction = instruction_text(question, options)
        limit, available = turn.limit_tokens, 0 if options.without_history else turn.turns
        bare = message_of((), instruction)
        around = self._count(turn.render(bare, 0), turn)
        known = [self._counts.known_block(one, turn.tokenizer_id) for one in documents]
        characters = sum(len(one.text) for one in documents)
        quickly_counted = None not in known or characters <= _COUNTED_AT_ONCE
        rates = None
        if None not in known or characters > max(_COUNTED_AT_ONCE, _SURELY_FITS * limit):
            rates = rates_of(documents, known, turn.count_tokens)
        if rates is None or around + rates.at_least <= limit:
            fits = self._whole(documents, instruction, turn, available, around, rates)
            if fits is not None:
                return fits

        def block_tokens(number: int) -> int:
            return self._counts.block(documents[number], turn.count_tokens, turn.tokenizer_id)[0]

        if not documents:
            raise question_does_not_fit(around, limit)
        if rates is None:
            rates = rates_of(documents, known, turn.count_tokens)
        return pack(
            measured_documents(documents, rates, turn.count_tokens),
            [one.text for one in documents],
            question,
            instruction,
            options.when_too_long,
            Window(limit, around, self._count(turn.render(_SHORTEST, 0), turn), available),
            lambda message: turn.render(message, 0),
            turn.count_tokens,
            block_tokens if quickly_counted else None,
        )

    def _whole(
        self,
        documents: Sequence[Document],
        instruction: str,
        turn: ChatTurn,
        available: int,
        around: int,
        rates: TokenRates | None,
    ) -> BuiltPrompt | None:
        """The prompt with the whole documents after as many earlier turns as fit; None where none does."""
        from .core.packing.packed_prompt import BuiltPrompt, SentBlock
        from .core.packing.parts import in_original

        blocks = [block_of(one) for one in documents]
        message, limit = message_of(blocks, instruction), turn.limit_tokens
        bare = message_of((), instruction)

        def history(turns: int) -> int:
            return self._count(turn.render(bare, turns), turn) - around if turns else 0

        room = limit - around - (rates.at_least if rates is not None else 0)
        turns = _most_turns(available, room, history)
        while True:
            text = turn.render(message, turns)
            tokens = turn.count_tokens(text)
            if tokens <= limit:
                break
            if not turns:
                return None
            turns = _most_turns(turns - 1, limit - tokens + history(turns), history)
        sent = tuple(
            SentBlock(number, block.document, in_original(one.text, ((0, len(normalise_document(one).text)),)))
            for number, (one, block) in enumerate(zip(documents, blocks, strict=True))
        )
        defused = sum(block.defused for block in blocks)
        return BuiltPrompt(text, message, tokens, turns, available - turns, sent, defused=defused)

    def document_tokens(
        self, documents: Sequence[Document], count_tokens: TokenCounter, counter_id: str
    ) -> tuple[int, ...]:
        """The tokens of each document's whole block, in order; those counted before by ``counter_id`` are remembered.

        For a page without a model too: with its estimate, and ``PageRequest.counter_id``.
        """
        return tuple(self._counts.block(one, count_tokens, counter_id)[0] for one in documents)

    def budget(
        self, documents: Sequence[Document], question: str, options: DocumentOptions, turn: ChatTurn, reply_tokens: int
    ) -> PromptBudget:
        """What the whole documents, the history and the question would take, whether they fit or not.

        Only what changed is counted: a document, the question, the history. With Llama's tokenizer the parts add up
        to the whole prompt but for at most two tokens, where the first of them meets the template.
        """
        preamble = self._count(turn.render(_SHORTEST, 0), turn)
        if documents:
            message = message_of((), instruction_text(question, options))
        else:
            message = question if question.strip() else _SHORTEST
        asked = self._count(turn.render(message, 0), turn) - preamble
        turns = 0 if documents and options.without_history else turn.turns
        history = self._count(turn.render(_SHORTEST, turns), turn) - preamble if turns else 0
        blocks = [self._counts.block(one, turn.count_tokens, turn.tokenizer_id) for one in documents]
        return PromptBudget(
            turn.limit_tokens + reply_tokens,
            preamble,
            tuple(tokens for tokens, _ in blocks),
            history,
            asked,
            reply_tokens,
            sum(defused for _, defused in blocks),
        )

    def build_call(self, request: ToolRequest, turn: ChatTurn) -> str:
        """The prompt for a call of one of the declared functions, behind as many of the latest turns as fit.

        Raises FormatError where the request alone is too long: half a declaration would be another one.
        """
        from .core.formats.errors import FormatError  # here, so that a webui starts without them
        from .core.formats.function_calling import FunctionRequest, render

        message = render(FunctionRequest(request.question, request.functions))
        if (least := self._count(turn.render(message, 0), turn)) > turn.limit_tokens:
            raise FormatError(
                f"The message and the declared tools take {least} tokens, and {turn.limit_tokens} fit beside the "
                "reply. Send fewer tools, or ask for a shorter reply (max_tokens)."
            )
        fitting = _most_turns(turn.turns, turn.limit_tokens, lambda n: self._count(turn.render(message, n), turn))
        return turn.render(message, fitting)

    def _count(self, text: str, turn: ChatTurn) -> int:
        return self._counts.count(text, turn.count_tokens, turn.tokenizer_id)


def _most_turns(most: int, room: float, history: Callable[[int], int]) -> int:
    """The most of the last turns, at most ``most``, whose tokens fit ``room``; 0 where none do."""
    if history(most) <= room:
        return most
    low = 0
    while most - low > 1:
        middle = (low + most) // 2
        low, most = (middle, most) if history(middle) <= room else (low, middle)
    return low
