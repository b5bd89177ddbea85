"""Documents that do not fit a window: what is kept of them, as the user chose, and the prompt with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..prompts.closed_context import message_of
from ..prompts.document_options import PASSAGES, SHORTEN, WHOLE
from ..prompts.instructions import without_trained_sentences
from .best_passages import best_passages, rank
from .does_not_fit import documents_do_not_fit
from .fitting import AIM, Candidate, Fitted, fit
from .measured_document import Chooser, Kept, MeasuredDocument
from .packed_prompt import BuiltPrompt, LeftOut, SentBlock
from .parts import in_original
from .shorten import shorten
from .token_counts import TokenCounter
from .whole import keep_whole

#: Of this share of the window, but at most so many tokens, whole documents leave room for any question: a longer one
#: then finds the same documents before it.
_QUESTION_SHARE, _MOST_FOR_QUESTION = 16, 256


@dataclass(frozen=True)
class Window:
    """``limit`` tokens for the prompt; without documents it takes ``around``, without the question ``preamble``.

    ``turns`` are the earlier ones of the chat, for none of which there is room.
    """

    limit: int
    around: int
    preamble: int
    turns: int


def pack(
    documents: Sequence[MeasuredDocument],
    originals: Sequence[str],
    question: str,
    instruction: str,
    how: str,
    window: Window,
    render: Callable[[str], str],
    token_counter: TokenCounter,
    block_tokens: Callable[[int], int] | None,
) -> BuiltPrompt:
    """As much of ``documents`` as fits, chosen ``how`` (of document_options.WHEN_TOO_LONG).

    ``originals`` are the documents' texts as they were given; ``render`` makes the whole prompt of a message,
    ``block_tokens`` counts the whole block of a document by its number; None where that takes too long. Raises
    DoesNotFitError, with the numbers, where the least does not fit.
    """
    no_word_found, aim = False, AIM
    choose: Chooser
    if how == WHOLE:
        choose = keep_whole(documents, block_tokens or (lambda number: documents[number].tokens))
        kept_free = min(_MOST_FOR_QUESTION, window.limit // _QUESTION_SHARE)
        aim = AIM if block_tokens is None else 1.0
        around = max(window.around, window.preamble + kept_free)
    else:
        ranked = rank([one.text for one in documents], without_trained_sentences(question)) if how == PASSAGES else None
        no_word_found = ranked is not None and not ranked.best
        choose = best_passages(documents, ranked) if ranked is not None and ranked.best else shorten(documents)
        around = window.around
        how = SHORTEN if no_word_found else how

    def candidate(kept: Kept) -> Candidate:
        blocks = tuple(one.block(parts) if parts else None for one, parts in zip(documents, kept, strict=True))
        message = message_of([block for block in blocks if block is not None], instruction)
        return Candidate(kept, blocks, message, render(message))

    fitted = fit(choose, candidate, token_counter, window.limit, around, aim, how != WHOLE)
    if fitted.tokens > window.limit:
        raise documents_do_not_fit(how, len(documents), fitted.tokens, window.limit)
    return _built(documents, originals, fitted, window, how, no_word_found)


def _built(
    documents: Sequence[MeasuredDocument],
    originals: Sequence[str],
    fitted: Fitted,
    window: Window,
    how: str,
    no_word_found: bool,
) -> BuiltPrompt:
    blocks, left_out, defused, candidate = [], [], 0, fitted.candidate
    for number, (document, parts) in enumerate(zip(documents, candidate.kept, strict=True)):
        block = candidate.blocks[number]
        if block is not None:
            blocks.append(SentBlock(number, block.document, in_original(originals[number], parts)))
            defused += block.defused
        if parts != document.everything:
            characters = sum(end - begin for begin, end in parts)
            left_out.append(LeftOut(number, characters, len(document.text)))
    return BuiltPrompt(
        candidate.prompt,
        candidate.message,
        fitted.tokens,
        turns=0,
        dropped_turns=window.turns,
        blocks=tuple(blocks),
        left_out=tuple(left_out),
        how=how,
        no_word_found=no_word_found,
        defused=defused,
    )
