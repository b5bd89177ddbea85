"""A row for each release and path, as it is printed and as it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PASSED, FAILED, ABSENT = "passed", "failed", "absent"
#: The path of the one row of a release that is not on this machine.
ALL = "all"


@dataclass(frozen=True)
class Row:
    """``result`` is passed, failed, or absent with the reason in ``detail``; ``seen`` says on what machine."""

    release: str
    path: str
    result: str
    detail: str
    seen: str = ""


def printed(row: Row) -> str:
    return f"{row.release:<20} {row.path:<28} {row.result:<7} {row.detail}"


def write_json(rows: Iterable[Row], file: Path) -> None:
    file.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(file: Path) -> list[Row]:
    return [Row(**entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def merged(kept: Iterable[Row], new: Iterable[Row], order: Sequence[str] = ()) -> list[Row]:
    """``kept`` with the rows of ``new`` in the place of those with the same release and path.

    Releases in ``order`` come first. The row of a release that was not there goes when it is there.
    """
    rows = {(row.release, row.path): row for row in [*kept, *new]}
    there = {release for release, path in rows if path != ALL}
    releases = [*order, *(release for release, _ in rows)]
    return [
        row
        for release in dict.fromkeys(releases)
        for (of, path), row in rows.items()
        if of == release and (path != ALL or release not in there)
    ]
