"""Finding what fits: a choice is made by estimated tokens, its prompt is counted as a whole, and the room corrected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..prompts.closed_context import Block
from .measured_document import Chooser, Kept
from .token_counts import TokenCounter

#: The share of the room that the first choice may take: an estimate that is a little low still fits.
AIM = 0.975
#: From this share on a prompt is not worth another try.
_CLOSE_ENOUGH = 0.93
_MOST_COUNTS = 18
#: How often a prompt that fits is tried to be filled up further.
_MOST_REFILLS = 6


@dataclass(frozen=True)
class Candidate:
    """A choice, the block of each document (None where it is left out), the message and the whole prompt."""

    kept: Kept
    blocks: tuple[Block | None, ...]
    message: str
    prompt: str


@dataclass(frozen=True)
class Fitted:
    """``tokens`` is the exact length of the whole prompt."""

    candidate: Candidate
    tokens: int


def fit(
    choose: Chooser,
    candidate: Callable[[Kept], Candidate],
    token_counter: TokenCounter,
    limit: int,
    around: int,
    aim: float = AIM,
    fill_up: bool = True,
) -> Fitted:
    """The fullest prompt of at most ``limit`` tokens that a few tries find; the least one where none of them fits.

    The least may be longer. ``around`` are the tokens of the prompt without documents. ``aim`` is the share of the room
    for the first choice; ``fill_up``: one that leaves much of it is tried again with more.
    """
    tried: dict[Kept, Fitted] = {}

    def counted(kept: Kept) -> Fitted:
        if kept not in tried:
            made = candidate(kept)
            tried[kept] = Fitted(made, token_counter(made.prompt))
        return tried[kept]

    whole_room = float(limit - around)
    room, low, high = whole_room * aim, 0.0, float("inf")
    best: Fitted | None = None
    refills = 0
    while room >= 1 and len(tried) < _MOST_COUNTS and refills <= _MOST_REFILLS:
        seen, kept = len(tried), choose(room)
        found = counted(kept) if any(kept) else None
        if found is None or found.tokens <= limit:
            low = room
            if found is not None and (best is None or found.tokens > best.tokens):
                best = found
            if best is not None and (not fill_up or best.tokens >= limit * _CLOSE_ENOUGH):
                break
            refills += 1
        else:
            high = room
        used = max(1.0, (found.tokens if found is not None else around) - around)
        guess = room * whole_room * AIM / used
        if high == float("inf"):
            room = min(max(guess, room * 1.05), room * 8)
        else:
            halves = seen == len(tried) or len(tried) % 2 == 0
            room = guess if low < guess < high and not halves else (low + high) / 2
            if high - low < max(1.0, high / 200):
                break
    return best if best is not None else counted(choose(0))
