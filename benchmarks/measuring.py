"""Paired runs: two ways in turn, in one process, and the ratio of each pair."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

#: Fewer say nothing about the spread.
PAIRS = 5


@dataclass(frozen=True)
class Row:
    """``ratio`` is the median over the pairs, ``spread`` their least and most; ``met`` compares it with ``goal``."""

    name: str
    against: str
    ratio: float
    spread: tuple[float, float]
    goal: str
    met: bool | None
    seconds: float
    pairs: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def seconds_of(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """The processor's time by default: what other programs do on the machine is not in it."""
    gc.collect()
    start = clock()
    work()
    return clock() - start


def compared(
    name: str,
    ours: Callable[[], object],
    against: str,
    theirs: Callable[[], object],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    pairs: int = PAIRS,
    clock: Callable[[], float] = time.process_time,
) -> Row:
    """Our time over theirs, where ``at_most`` is the goal; theirs over ours, where it is ``at_least``."""
    ratios, times = [], []
    for _ in range(pairs):
        base, own = seconds_of(theirs, clock), seconds_of(ours, clock)
        times.append(own)
        ratios.append(base / own if at_least is not None else own / base)
    return row(name, against, ratios, times, at_most=at_most, at_least=at_least)


def row(
    name: str,
    against: str,
    ratios: list[float],
    times: list[float],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Row:
    ratio = statistics.median(ratios)
    goal, met = "", None
    if at_most is not None:
        goal, met = f"at most {at_most:g}", ratio <= at_most
    elif at_least is not None:
        goal, met = f"at least {at_least:g}", ratio >= at_least
    return Row(name, against, ratio, (min(ratios), max(ratios)), goal, met, statistics.median(times), len(ratios))
