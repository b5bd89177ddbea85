"""Parts of a text: putting them together with the gaps marked, and where they are in the text as it was given."""

from __future__ import annotations

import bisect
import re

from ..prompts.closed_context import Document, normalise_document
from .packed_prompt import Parts

#: Signs that a normalised text has not; see closed_context.normalise.
_REMOVED = re.compile("\r(?=\n)|\0")


def with_gaps_marked(text: str, parts: Parts) -> str:
    """The ``parts`` of ``text``, a line between them for every gap that says how much it leaves out."""
    pieces, end = [], 0
    for begin, stop in (*parts, (len(text), len(text))):
        if begin > end:
            pieces.append(gap_mark(begin - end))
        if stop > begin:
            pieces.append(text[begin:stop].strip("\n").rstrip())
        end = stop
    return "\n".join(pieces)


def gap_mark(characters: int) -> str:
    return f"[… {characters} characters left out …]"


def merged(text: str, parts: Parts) -> Parts:
    """``parts`` in order, put together where they touch or where the mark would be longer than what it stands for."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(parts):
        last = found[-1][1] if found else 0
        if begin - last <= len(gap_mark(begin - last)):
            begin = last
        if found and begin <= last:
            found[-1] = (found[-1][0], max(last, end))
        else:
            found.append((begin, end))
    if found and len(text) - found[-1][1] <= len(gap_mark(len(text) - found[-1][1])):
        found[-1] = (found[-1][0], len(text))
    return tuple(found)


def in_original(original: str, parts: Parts) -> Parts:
    """``parts`` of the normalised text as offsets in ``original``, the text of the document as it was given."""
    normalised = normalise_document(Document(original)).text
    removed = [found.start() for found in _REMOVED.finditer(original)]
    if not removed and len(original) == len(normalised):
        return parts
    left = [place - number for number, place in enumerate(removed)]
    clean = _REMOVED.sub("", original)
    indent = len(clean) - len(clean.lstrip())

    def place(at: int) -> int:
        return at + indent + bisect.bisect_right(left, at + indent)

    return tuple((place(begin), place(end - 1) + 1) for begin, end in parts if end > begin)
