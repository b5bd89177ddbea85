"""Perplexity by context length: the same pieces of text, each read with more and more context before it.

A piece is S consecutive tokens. At a context length of L the model reads the L tokens that end with the piece, and
only the piece is scored: the sliding window of Press et al. ("Train short, test long", arXiv:2108.12409), which the
paper on position interpolation uses with S = 256 (arXiv:2306.15595). As the pieces are the same for every length and
for every scaling of the model, two measurements can be compared piece by piece.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .check_options import CheckError
from .check_result import PerplexityPoint

#: The stride of the paper on position interpolation.
LARGEST_PIECE = 256
#: With fewer nothing can be said of the spread.
_FEWEST_PIECES = 4


@dataclass(frozen=True)
class ScoredPieces:
    """``ends``: (text number, position after the piece's last token) of every piece of ``scored`` tokens."""

    texts: tuple[tuple[int, ...], ...]
    ends: tuple[tuple[int, int], ...]
    scored: int

    def rows(self, length: int) -> list[tuple[int, ...]]:
        """For every piece the ``length`` tokens that end with it. None of them begins the text, so none is preceded
        by a beginning-of-sequence token."""
        return [self.texts[number][end - length : end] for number, end in self.ends]


def piece_tokens(shortest: int) -> int:
    """Tokens of a piece: 256, and at most half of the shortest context."""
    return max(1, min(LARGEST_PIECE, shortest // 2))


def needed_tokens(lengths: Sequence[int], windows: int) -> int:
    """Tokens of text that ``windows`` pieces side by side need at ``lengths``."""
    return max(lengths) + (windows - 1) * piece_tokens(min(lengths))


def scored_pieces(texts: Sequence[tuple[str, Sequence[int]]], lengths: Sequence[int], windows: int) -> ScoredPieces:
    """``windows`` pieces from ``texts``, (name, token ids) each, spread over them evenly and without overlap.

    Fewer where the texts hold fewer. Raises CheckError where they hold less than 4 (or ``windows``, if that is less).
    """
    scored, longest = piece_tokens(min(lengths)), max(lengths)
    room = [max(0, (len(ids) - longest) // scored + 1) if len(ids) >= longest else 0 for _, ids in texts]
    places = [(number, longest + piece * scored) for number, count in enumerate(room) for piece in range(count)]
    if len(places) < min(windows, _FEWEST_PIECES):
        name, ids = max(texts, key=lambda text: len(text[1]))
        whose = f"The longest text, {name}," if len(texts) > 1 else f"The text {name}"
        raise CheckError(
            f"{whose} has {len(ids)} tokens; {needed_tokens(lengths, min(windows, _FEWEST_PIECES))} are needed to "
            f"measure contexts up to {max(lengths)} tokens. Give a longer text, or shorter contexts."
        )
    count = min(windows, len(places))
    ends = tuple(places[index * (len(places) - 1) // max(1, count - 1)] for index in range(count))
    return ScoredPieces(tuple(tuple(ids) for _, ids in texts), ends, scored)


def perplexity_point(length: int, log_losses: Sequence[float], scored: int) -> PerplexityPoint:
    """exp of the mean loss over all scored tokens; every piece has ``scored`` of them. A loss that is no number (half
    precision overflowed) counts as infinite."""
    losses = tuple(math.inf if math.isnan(loss) else loss for loss in log_losses)
    mean = sum(losses) / len(losses)
    return PerplexityPoint(length, math.exp(mean) if mean < 700 else math.inf, scored * len(losses), losses)
