"""One ratio with what it is measured against: the row that every benchmark yields, in the table and in the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

#: Fewer say nothing about the spread.
PAIRS = 5
#: Enough to see that a benchmark runs.
QUICK_PAIRS = 2


class Skipped(Exception):
    """What a benchmark needs is not here; the text says what, and what to do."""


@dataclass(frozen=True)
class Options:
    """``quick``: texts, models and numbers of pairs for seconds, where what comes out is no figure."""

    quick: bool = False

    def pairs(self, wanted: int = PAIRS) -> int:
        return QUICK_PAIRS if self.quick else max(PAIRS, wanted)


@dataclass(frozen=True)
class Row:
    """``ratio`` is the median over ``pairs``, ``spread`` their least and most; ``met`` compares it with ``goal``.

    A row without a goal has an empty ``goal`` and None for ``met``. ``measured`` says what was divided, with units.
    """

    name: str
    against: str
    ratio: float
    spread: tuple[float, float]
    goal: str
    met: bool | None
    pairs: int
    measured: str = ""


def write_json(rows: Iterable[Row], file: Path) -> None:
    file.write_text(f"{json.dumps([asdict(row) for row in rows], indent=1)}\n", encoding="utf-8")


def read_json(file: Path) -> list[Row]:
    found = json.loads(file.read_text(encoding="utf-8"))
    return [Row(**{**one, "spread": tuple(one["spread"])}) for one in found]
