"""Whole documents only: those that do not fit are left out, the first ones are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .measured_document import Chooser, Kept, MeasuredDocument

#: A document that takes this many times the room by its samples is not counted to be left out.
_CLEARLY_TOO_LONG = 2.0


def keep_whole(documents: Sequence[MeasuredDocument], block_tokens: Callable[[int], float]) -> Chooser:
    """By order: the first document is kept if it fits, then the second one if it still fits, and so on.

    ``block_tokens`` says how long the block of the document with that number is. With no room at all the shortest is
    kept.
    """

    def choose(room: float) -> Kept:
        if room <= 0:
            shortest = min(range(len(documents)), key=lambda number: documents[number].text_tokens)
            return tuple(one.everything if number == shortest else () for number, one in enumerate(documents))
        kept = []
        for number, document in enumerate(documents):
            tokens = block_tokens(number) if document.text_tokens <= room * _CLEARLY_TOO_LONG else None
            fits = tokens is not None and tokens <= room
            room -= tokens if tokens is not None and fits else 0
            kept.append(document.everything if fits else ())
        return tuple(kept)

    return choose
