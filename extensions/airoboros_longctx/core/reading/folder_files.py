"""The files of a folder from strangers: their sizes, a JSON object, the card. What cannot be read is a sentence."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Any

from ..foreign_text import UnreadableFileError, read_bytes, read_json_object

CARD_BYTES = 1 << 20
_MOST_FILES = 10_000


def file_sizes(folder: Path) -> dict[str, int]:
    """Bytes of each plain file, by name; a link that leads nowhere is none."""
    with os.scandir(folder) as entries:
        sizes = ((entry.name, _size(entry)) for entry in islice(entries, _MOST_FILES))
        return {name: size for name, size in sizes if size is not None}


def _size(entry: os.DirEntry[str]) -> int | None:
    try:
        return entry.stat().st_size if entry.is_file() else None
    except OSError:
        return None


def json_object(path: Path, problems: list[str]) -> dict[str, Any] | None:
    """The JSON object in ``path``; None where there is none, with a sentence where that is not for want of a file."""
    if not os.path.lexists(path):
        return None
    try:
        return read_json_object(path)
    except UnreadableFileError as error:
        problems.append(f"{path.name} {error}; it is not used.")
        return None


def card_text(folder: Path, sizes: dict[str, int], problems: list[str]) -> str:
    """The model card (README.md) as text, at most ``CARD_BYTES`` of it; empty where there is none."""
    names = [name for name in sizes if name.lower() == "readme.md"]
    if not names:
        if os.path.lexists(folder / "README.md"):
            problems.append("README.md is not a plain file; the model card is not used.")
        return ""
    try:
        content, more = read_bytes(folder / sorted(names)[0], CARD_BYTES)
    except UnreadableFileError as error:
        problems.append(f"README.md {error}; the model card is not used.")
        return ""
    if more:
        problems.append(f"README.md is larger than {CARD_BYTES >> 20} MiB; only its beginning was read.")
    return content.decode("utf-8-sig", "replace")
