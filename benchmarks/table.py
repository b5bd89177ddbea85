"""A row as people read it: one text for each column, in the terminal and in the README."""

from __future__ import annotations

from .rows import Row

HEADINGS = ("name", "against", "ratio", "spread", "goal", "met")


def columns(row: Row) -> tuple[str, ...]:
    """One text per heading."""
    least, most = row.spread
    met = {None: "", True: "yes", False: "NO"}[row.met]
    return (row.name, row.against, spoken(row.ratio), f"{spoken(least)} to {spoken(most)}", row.goal, met)


def spoken(ratio: float) -> str:
    """Three digits, or four around one, where the goals are a hundredth away from it."""
    if 0.5 < ratio < 2:
        return f"{ratio:.3f}"
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"
