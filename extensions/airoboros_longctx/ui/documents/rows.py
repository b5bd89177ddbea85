"""The documents of a chat as lines to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.chat_session import ChatDocument
from ...core.document_shelves import Shelved
from ...core.foreign_text import quoted
from ...prompt_service import PageRequest

HEADING = "Documents"
_SHOWN_PAIRS = 2


def rows_of(there: Sequence[Shelved], request: PageRequest) -> list[str]:
    """One line per document; its number at the start is how a choice is read back."""
    lines = []
    for number, document in enumerate((one.document for one in there), 1):
        count = request.count_tokens(document.text)
        tokens = f"{'about ' if request.estimated else ''}{count} token{'' if count == 1 else 's'}"
        parts = [_name(document), *_pairs(document), tokens, *([] if document.on else ["off"])]
        lines.append(f"{number}. {' · '.join(parts)}")
    return lines


def _name(document: ChatDocument) -> str:
    return quoted(document.title, 60) or quoted(document.text, 40) or "untitled"


def _pairs(document: ChatDocument) -> list[str]:
    pairs = [f"{quoted(key, 20)}: {quoted(value, 40)}" for key, value in document.metadata[:_SHOWN_PAIRS]]
    more = len(document.metadata) - _SHOWN_PAIRS
    return [*pairs, *([f"{more} more"] if more > 0 else [])]


def row_of(line: object) -> int | None:
    """The row, from 0, that a line of ``rows_of`` stands for."""
    number = str(line or "").partition(".")[0]
    return int(number) - 1 if number.isascii() and number.isdigit() else None


def heading(there: Sequence[Shelved]) -> str:
    """The panel's heading, which also a closed panel shows: how many documents are on."""
    on = sum(one.document.on for one in there)
    if not there:
        return HEADING
    return f"{HEADING} · {on} on" if on == len(there) else f"{HEADING} · {on} of {len(there)} on"
