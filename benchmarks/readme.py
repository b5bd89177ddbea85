"""The README's table of benchmarks: made from the rows that ``start.py bench`` kept, never typed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .corpus import ROOT
from .marked_section import with_section
from .rows import Row
from .table import columns

#: The rows that were kept, and the text around the table in the README.
KEPT = ROOT / "docs" / "benchmarks.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- benchmarks: written by start.py bench -->", "<!-- end of benchmarks -->"


def table(rows: Iterable[Row]) -> str:
    """Markdown: the rows that have a goal. One that misses it says so."""
    lines = ["| what | against | ratio | spread | pairs | goal |", "|---|---|---|---|---|---|"]
    for row in rows:
        if row.goal:
            name, against, ratio, spread, goal, _ = columns(row)
            missed = "" if row.met else ": **missed**"
            lines.append(f"| {name} | {against} | {ratio} | {spread} | {row.pairs} | {goal}{missed} |")
    return "\n".join(lines)


def in_readme(text: str, made: str) -> str:
    """``text`` with the table ``made`` between its two marks."""
    return with_section(text, BEGIN, END, made)


def write_readme(rows: Iterable[Row], readme: Path = README) -> None:
    readme.write_text(in_readme(readme.read_text(encoding="utf-8"), table(rows)), encoding="utf-8")
