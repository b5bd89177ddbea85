"""Paired runs: two ways in turn, in one process, and the ratio of each pair."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from .rows import PAIRS, Row

Measured = TypeVar("Measured")


def seconds_of(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """The processor's time by default: what other programs do on the machine is not in it."""
    gc.collect()
    start = clock()
    work()
    return clock() - start


def in_turn(
    ours: Callable[[], Measured], theirs: Callable[[], Measured], pairs: int = PAIRS
) -> tuple[list[Measured], list[Measured]]:
    """What both return, pair by pair; each goes first in every other pair, so that neither gains by a drift."""
    own: list[Measured] = []
    other: list[Measured] = []
    for number in range(pairs):
        if number % 2:
            own.append(ours())
            other.append(theirs())
        else:
            other.append(theirs())
            own.append(ours())
    return own, other


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
    own, other = in_turn(lambda: seconds_of(ours, clock), lambda: seconds_of(theirs, clock), pairs)
    return times_row(name, own, against, other, at_most=at_most, at_least=at_least)


def times_row(
    name: str,
    own: list[float],
    against: str,
    other: list[float],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Row:
    """A row of seconds measured pair by pair, divided as in ``compared``."""
    if at_least is not None:
        ratios = [there / here for here, there in zip(own, other, strict=True)]
    else:
        ratios = [here / there for here, there in zip(own, other, strict=True)]
    measured = f"{spoken_seconds(statistics.median(own))}, {spoken_seconds(statistics.median(other))}"
    return row(name, against, ratios, at_most=at_most, at_least=at_least, measured=measured)


def row(
    name: str,
    against: str,
    ratios: list[float],
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    exactly: float | None = None,
    measured: str = "",
) -> Row:
    """``exactly`` is met when every ratio is that number; the two others when the median is on their side."""
    ratio = statistics.median(ratios)
    goal, met = "", None
    if exactly is not None:
        goal, met = f"exactly {exactly:g}", all(one == exactly for one in ratios)
    elif at_most is not None:
        goal, met = f"at most {at_most:g}", ratio <= at_most
    elif at_least is not None:
        goal, met = f"at least {at_least:g}", ratio >= at_least
    return Row(name, against, ratio, (min(ratios), max(ratios)), goal, met, len(ratios), measured)


def spoken_seconds(seconds: float) -> str:
    """``1.23 s``, ``45.6 ms``."""
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
