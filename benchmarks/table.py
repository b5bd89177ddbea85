"""The rows as people read them: columns for the terminal and a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from .rows import Row

HEADINGS = ("name", "against", "ratio", "spread", "goal", "met")


def columns(row: Row) -> tuple[str, ...]:
    """One text per heading."""
    least, most = row.spread
    met = {None: "", True: "yes", False: "no"}[row.met]
    return (row.name, row.against, spoken(row.ratio), f"{spoken(least)} to {spoken(most)}", row.goal, met)


def spoken(ratio: float) -> str:
    """Three digits, also of large ratios; no more of them than say something near one."""
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}"


def markdown(rows: Iterable[Row]) -> str:
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    lines += [f"| {' | '.join(columns(row))} |" for row in rows]
    return "\n".join(lines)
