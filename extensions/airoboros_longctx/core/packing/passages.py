"""Cutting a text into passages of about a paragraph, at the edges that a reader would choose."""

from __future__ import annotations

import re

#: A paragraph shorter than this, such as a heading, goes with the one after it; a longer one than this is split.
SHORTEST, LONGEST = 200, 1200
_BETWEEN_PARAGRAPHS = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)*")
#: Where a long paragraph is split, the best first: a sentence that ends its line, a line (tables, code), a sentence,
#: a word.
_EDGES = (
    (".\n", "!\n", "?\n", "。\n"),
    ("\n",),
    (". ", "! ", "? ", "。", "！", "？"),
    (" ",),
)


def passages(text: str) -> list[tuple[int, int]]:
    """The passages of a normalised text as (begin, end), in order; between them is white space alone."""
    found: list[tuple[int, int]] = []
    begin = 0
    for between in _BETWEEN_PARAGRAPHS.finditer(text):
        end = between.start()
        if end - begin >= SHORTEST:
            if end - begin <= LONGEST:
                found.append((begin, end))
            else:
                found += _split(text, begin, end)
            begin = between.end()
    if begin < len(text):
        found += _split(text, begin, len(text))
    return found


def _split(text: str, begin: int, end: int) -> list[tuple[int, int]]:
    pieces = []
    while end - begin > LONGEST:
        cut = edge_before(text, begin + LONGEST // 2, begin + LONGEST)
        pieces.append((begin, cut))
        begin = cut
        while begin < end and text[begin].isspace():
            begin += 1
    if begin < end:
        pieces.append((begin, end))
    return pieces


def edge_before(text: str, first: int, last: int) -> int:
    """Where to cut between ``first`` and ``last``: behind the last line, sentence or word that ends there; else last.

    What ends well goes before what ends late.
    """
    for edges in _EDGES:
        cut = max(text.rfind(edge, first, last) + len(edge.rstrip()) for edge in edges)
        if cut > first:
            return cut
    return last
