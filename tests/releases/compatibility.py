"""The README's compatibility table: made from the rows that ``test-hosts`` kept, never typed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.marked_section import with_section
from tests.host.running_host import REPOSITORY
from tests.releases.rows import ABSENT, FAILED, Row

#: The rows that were kept, and the text around the table in the README.
KEPT = REPOSITORY / "docs" / "compatibility.json"
README = REPOSITORY / "README.md"
BEGIN, END = "<!-- compatibility: written by start.py test-hosts -->", "<!-- end of compatibility -->"

#: Columns, and the paths that each stands for.
COLUMNS: dict[str, tuple[str, ...]] = {
    "page, status line": ("page and API", "status line and panels"),
    "Transformers": (
        "Transformers, command line",
        "Transformers, API",
        "Transformers, Model tab",
        "Transformers, idle reload",
        "a load that fails",
        "unload, then unscaled",
    ),
    "LoRA": ("LoRA on and off",),
    "GPTQ": ("AutoGPTQ", "GPTQ through Transformers"),
    "ExLlama": ("ExLlama up to its kernels",),
    "llama.cpp": ("llama.cpp, Python binding", "llama.cpp, command line"),
    "documents": ("question from documents",),
    "check": ("check of the context", "check through other loaders"),
    "by API": ("documents by API",),
    "PLAINFORMAT": ("PLAINFORMAT",),
    "template": ("instruct template",),
}
NOT_FOUND = "read"


def table(rows: Iterable[Row]) -> str:
    """Markdown. A cell says on what it was seen, ``–`` where the release has no such path, ``read`` where it was only
    read."""
    by_release: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_release.setdefault(row.release, {})[row.path] = row
    lines = [f"| webui | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for release, found in by_release.items():
        cells = [_cell([found[path] for path in paths if path in found]) for paths in COLUMNS.values()]
        lines.append(f"| {release} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(rows: list[Row]) -> str:
    failed = [row for row in rows if row.result == FAILED]
    if failed:
        return "fails: " + ", ".join(row.path for row in failed)
    seen = [row for row in rows if row.result != ABSENT]
    if seen:
        return seen[0].seen
    return "–" if rows else NOT_FOUND


def in_readme(text: str, made: str) -> str:
    """``text`` with the table ``made`` between its two marks."""
    return with_section(text, BEGIN, END, made)


def write_readme(rows: Iterable[Row], readme: Path = README) -> None:
    readme.write_text(in_readme(readme.read_text(encoding="utf-8"), table(rows)), encoding="utf-8")
