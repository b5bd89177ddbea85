"""Documents that do not fit a window: what is kept of them, as the user chose, and the prompt with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..closed_context import message_of
from ..document_options import PASSAGES, SHORTEN, WHOLE
from ..instructions import without_trained_sentences
from ..token_budget import DoesNotFitError, TokenCounter
from .best_passages import best_passages, rank
from .fitting import AIM, Candidate, Fitted, fit
from .packed_prompt import LeftOut, SentBlock
from .parts import in_original
from .shorten import shorten
from .sources import Chooser, Kept, Source
from .whole import keep_whole

#: Of this share of the window, but at most so many tokens, whole documents leave room for any question: a longer one
#: then finds the same documents before it.
_QUESTION_SHARE, _MOST_FOR_QUESTION = 16, 256


@dataclass(frozen=True)
class Window:
    """``limit`` tokens for the prompt; without documents it takes ``around``, without the question ``preamble``."""

    limit: int
    around: int
    preamble: int


@dataclass(frozen=True)
class Packed:
    """The prompt that fits; see BuiltPrompt for the fields."""

    text: str
    message: str
    tokens: int
    blocks: tuple[SentBlock, ...]
    left_out: tuple[LeftOut, ...]
    how: str
    no_word_found: bool
    defused: int


def pack(
    sources: Sequence[Source],
    originals: Sequence[str],
    question: str,
    instruction: str,
    how: str,
    window: Window,
    render: Callable[[str], str],
    token_counter: TokenCounter,
    block_tokens: Callable[[int], int] | None,
) -> Packed:
    """As much of ``sources`` as fits, chosen ``how`` (of document_options.WHEN_TOO_LONG).

    ``originals`` are the documents' texts as they were given; ``render`` makes the whole prompt of a message,
    ``block_tokens`` counts the whole block of a document by its number; None where that takes too long. Raises
    DoesNotFitError, with the numbers, where the least does not fit.
    """
    no_word_found, aim = False, AIM
    choose: Chooser
    if how == WHOLE:
        choose = keep_whole(sources, block_tokens or (lambda number: sources[number].tokens))
        kept_free = min(_MOST_FOR_QUESTION, window.limit // _QUESTION_SHARE)
        aim = AIM if block_tokens is None else 1.0
        around = max(window.around, window.preamble + kept_free)
    else:
        ranked = rank([one.text for one in sources], without_trained_sentences(question)) if how == PASSAGES else None
        no_word_found = ranked is not None and not ranked.best
        choose = best_passages(sources, ranked) if ranked is not None and ranked.best else shorten(sources)
        around = window.around
        how = SHORTEN if no_word_found else how

    def candidate(kept: Kept) -> Candidate:
        blocks = tuple(one.block(parts) if parts else None for one, parts in zip(sources, kept, strict=True))
        message = message_of([block for block in blocks if block is not None], instruction)
        return Candidate(kept, blocks, message, render(message))

    fitted = fit(choose, candidate, token_counter, window.limit, around, aim, how != WHOLE)
    if fitted.tokens > window.limit:
        raise DoesNotFitError(_sentence(how, len(sources), fitted.tokens, window.limit))
    return _packed(sources, originals, fitted, how, no_word_found)


def _packed(
    sources: Sequence[Source], originals: Sequence[str], fitted: Fitted, how: str, no_word_found: bool
) -> Packed:
    blocks, left_out, defused, candidate = [], [], 0, fitted.candidate
    for number, (source, parts) in enumerate(zip(sources, candidate.kept, strict=True)):
        block = candidate.blocks[number]
        if block is not None:
            blocks.append(SentBlock(number, block.document, in_original(originals[number], parts)))
            defused += block.defused
        if parts != source.everything:
            characters = sum(end - begin for begin, end in parts)
            left_out.append(LeftOut(number, characters, len(source.text)))
    return Packed(
        candidate.prompt, candidate.message, fitted.tokens, tuple(blocks), tuple(left_out), how, no_word_found, defused
    )


def _sentence(how: str, count: int, tokens: int, limit: int) -> str:
    numbers = f"the preamble, the metadata and the question take {tokens} tokens; the window leaves {limit}"
    advice = "Ask a shorter question, switch documents off, or reserve fewer tokens for the reply."
    if how == WHOLE:
        what = "the document whole" if count == 1 else f"the shortest of the {count} documents alone"
        advice = (
            "Keep the passages that matter or shorten the documents instead, ask a shorter question, or reserve fewer "
            "tokens for the reply."
        )
    elif how == PASSAGES:
        what = "a single passage of the document" if count == 1 else f"a single passage of the {count} documents"
    else:
        what = "the document cut to a line" if count == 1 else f"the {count} documents cut to a line each"
    return f"With {what}, {numbers} for the prompt. {advice}"
