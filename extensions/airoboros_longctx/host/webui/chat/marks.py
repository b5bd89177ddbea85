"""What a history remembers of each reply: that it is code, that documents were asked, and what its check found.

From v3.4 on it stands in the history's metadata, at the webui's key for a reply; before, at a key of the history: a
list of texts with one entry for each row, because those webuis cut the last entry off every value of a history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ....core.replies.source_check import SourceCheck

_MARK = "airoboros_longctx"
_ROLE = "assistant_"
#: The whole mark of a reply that is code, in histories from before sources were checked.
_PLAINFORMAT = "plainformat"
#: A reply may be one of several versions; of the oldest, the notes are forgotten.
_CHECKS = 8


@dataclass(frozen=True)
class ReplyMark:
    """``code``: asked for in PLAINFORMAT. ``documents``: asked over documents, now or in a version before.

    ``checks`` are records, by the hash of the reply that each was made for.
    """

    code: bool = False
    documents: bool = False
    checks: Mapping[str, Any] = field(default_factory=dict)

    def with_check(self, reply: str, check: SourceCheck) -> ReplyMark:
        from ....core.replies.source_record import record_of_check  # here, so that the webui starts without it

        checks = {**self.checks, _hash(reply): record_of_check(check)}
        return replace(self, checks=dict(list(checks.items())[-_CHECKS:]))

    def check_of(self, reply: str) -> SourceCheck | None:
        """What was found in ``reply``; None where exactly this text was not looked at."""
        from ....core.replies.source_record import check_from_record

        record = self.checks.get(_hash(reply))
        return check_from_record(record) if record is not None else None


def read_mark(text: Any) -> ReplyMark:
    """The mark that ``text`` stands for; a mark that cannot be read counts as one of documents: it is shown safely."""
    if text in (None, ""):
        return ReplyMark()
    if text == _PLAINFORMAT:
        return ReplyMark(code=True)
    try:
        record = json.loads(text)
        checks = record.get("checks") or {}
        return ReplyMark(bool(record.get("code")), bool(record.get("documents")), dict(checks))
    except (TypeError, ValueError, AttributeError, RecursionError):
        return ReplyMark(documents=True)


def _text(mark: ReplyMark) -> str:
    if mark == ReplyMark():
        return ""
    return json.dumps({"code": mark.code, "documents": mark.documents, "checks": dict(mark.checks)})


def _hash(reply: str) -> str:
    return hashlib.sha256(reply.strip().encode(errors="backslashreplace")).hexdigest()[:16]


def mark_of(history: Any, row: int) -> ReplyMark:
    return dict(marks_of(history)).get(row, ReplyMark())


def marks_of(history: Any) -> Iterator[tuple[int, ReplyMark]]:
    """The rows of ``history`` that have a mark."""
    if not isinstance(history, dict):
        return
    for number, text in enumerate(history.get(_MARK) or ()):
        if text:
            yield number, read_mark(text)
    for key, value in (history.get("metadata") or {}).items():  # the last word, also in a chat of an older webui
        row = str(key).removeprefix(_ROLE)
        if row.isdecimal() and isinstance(value, dict) and value.get(_MARK):
            yield int(row), read_mark(value[_MARK])


def with_mark(history: Any, row: int, mark: ReplyMark) -> Any:
    """``history`` with ``mark`` for the reply in ``row``: itself where it has metadata, else a copy."""
    if not isinstance(history, dict):
        return history
    text = _text(mark)
    if "metadata" in history:
        metadata, key = history["metadata"], f"{_ROLE}{row}"
        if text:
            metadata.setdefault(key, {})[_MARK] = text
        else:
            metadata.get(key, {}).pop(_MARK, None)
        return history
    if not text and _MARK not in history:
        return history
    marks = [*history.get(_MARK, [])][: row + 1]
    marks += [""] * (row + 1 - len(marks))
    marks[row] = text
    return {**history, _MARK: marks}
