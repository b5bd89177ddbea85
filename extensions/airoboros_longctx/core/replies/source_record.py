"""A check of sources as plain data that a chat's history can keep. No text of a document is in it."""

from __future__ import annotations

from typing import Any

from ..foreign_text import quoted
from .source_check import SourceCheck, SourceLink, StatedSource

_TITLE_CHARACTERS = 120


def record_of_check(check: SourceCheck) -> dict[str, Any]:
    """``check`` as lists and texts, for JSON."""
    return {
        "sources": [[one.stated, [_link(link) for link in one.documents], list(one.wrong)] for one in check.sources],
        "carried_by": [_link(link) for link in check.carried_by],
        "unfound": list(check.unfound),
    }


def _link(link: SourceLink) -> list[Any]:
    return [link.id, quoted(link.title, _TITLE_CHARACTERS), link.start, link.end]


def check_from_record(record: Any) -> SourceCheck | None:
    """The check that ``record`` was made of; None where it is not such a record."""
    try:
        return SourceCheck(
            tuple(
                StatedSource(str(stated), tuple(map(_link_from, links)), tuple(map(str, wrong)))
                for stated, links, wrong in record["sources"]
            ),
            tuple(map(_link_from, record["carried_by"])),
            tuple(map(str, record["unfound"])),
        )
    except (TypeError, ValueError, KeyError):
        return None


def _link_from(record: Any) -> SourceLink:
    document_id, title, start, end = record
    if start is None or end is None:
        return SourceLink(str(document_id), str(title))
    return SourceLink(str(document_id), str(title), int(start), int(end))
