"""Every document gives way alike: each keeps its beginning, up to a length that is the same for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from .measured_document import Chooser, Kept, MeasuredDocument
from .packed_prompt import Parts
from .parts import merged
from .passages import edge_before

#: A document that would keep less than this is not worth asking about, in characters.
LEAST_KEPT = 40
#: About what the mark of a gap takes.
MARK_TOKENS = 16
#: Cutting at an edge leaves some of the room, at most a fifth: so often a higher cap is looked for.
_ROUNDS, _MOST_MORE = 5, 1.25


def shorten(documents: Sequence[MeasuredDocument]) -> Chooser:
    """Short documents stay whole while long ones are cut to a common length in tokens."""

    sizes = [one.text_tokens for one in documents]
    around = sum(one.envelope for one in documents)

    def choose(room: float) -> Kept:
        cap = common_cap(sizes, room - around)
        kept = tuple(_cut(document, cap) for document in documents)
        low, high = cap, cap * _MOST_MORE
        for _ in range(_ROUNDS):  # what the edges left unused goes to all that were cut
            cap = (low + high) / 2
            more = tuple(_cut(document, cap) for document in documents)
            if sum(map(_tokens, documents, more)) <= room - around:
                low, kept = cap, more
            else:
                high = cap
        return kept

    return choose


def _tokens(document: MeasuredDocument, parts: Parts) -> float:
    """Estimated, of the kept text and the mark of the cut."""
    return sum(end - begin for begin, end in parts) * document.rate + (
        MARK_TOKENS if parts != document.everything else 0
    )


def common_cap(sizes: Sequence[float], room: float) -> float:
    """The cap at which ``sizes``, each cut to it, fill ``room``: what small ones leave goes to the large ones alike."""
    left = room
    for place, size in enumerate(sorted(sizes)):
        share = left / (len(sizes) - place)
        if size > share:
            return max(0.0, share)
        left -= size
    return max(sizes, default=0.0)


def _cut(document: MeasuredDocument, cap: float) -> Parts:
    text = document.text
    if document.text_tokens <= cap or len(text) <= LEAST_KEPT:
        return document.everything
    most = max(LEAST_KEPT, int((cap - MARK_TOKENS) / document.rate)) if document.rate else len(text)
    if most >= len(text):
        return document.everything
    paragraph = text.rfind("\n\n", most - most // 5, most)
    end = paragraph if paragraph > 0 else edge_before(text, most - most // 5, most)
    return merged(text, ((0, end),))
