"""Text and files from strangers (cards, configs, folder names): bounded, printable, never trusted."""

from __future__ import annotations

import json
import re
import reprlib
from pathlib import Path
from typing import Any

QUOTE_CHARACTERS = 200
_CONTROLS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")
_HALVES = re.compile("[\ud800-\udfff]")


class UnreadableFileError(Exception):
    """A file that is not there as a plain file, is too large, or does not parse. The text says which."""


def whole_characters(text: str) -> str:
    """``text`` with U+FFFD for each half of a surrogate pair, which is no character and cannot be sent to a page."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


def without_controls(text: str) -> str:
    """``text`` without the signs that would steer a terminal; line ends and tabs stay."""
    return _CONTROLS.sub("", text)


def quoted(text: object, limit: int = QUOTE_CHARACTERS) -> str:
    """``text`` as one printable line of at most ``limit`` characters."""
    raw = str(text)[: 4 * limit].encode("utf-8", "replace").decode("utf-8")
    line = " ".join("".join(character if character.isprintable() else " " for character in raw).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def quoted_value(value: object, limit: int = QUOTE_CHARACTERS) -> str:
    """``value`` in Python's notation, as ``quoted`` shows it. Lists in lists are cut before they are written out: a few
    lines of YAML can stand for more of them than fit in memory."""
    short = reprlib.Repr()
    short.maxlevel, short.maxstring, short.maxother, short.maxlong = 4, 4 * limit, 4 * limit, 4 * limit
    return quoted(short.repr(value), limit)


def read_bytes(path: Path, limit: int) -> tuple[bytes, bool]:
    """The first ``limit`` bytes of a plain file, and whether there were more. Raises UnreadableFileError."""
    try:
        if not path.is_file():
            raise UnreadableFileError("is not a plain file" if path.exists() else "is not there")
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UnreadableFileError(f"could not be read ({error.strerror or type(error).__name__})") from error
    return content[:limit], len(content) > limit


def read_json_object(path: Path, limit: int = 4 << 20) -> dict[str, Any]:
    """The JSON object in ``path``, at most ``limit`` bytes of it. Raises UnreadableFileError."""
    content, more = read_bytes(path, limit)
    if more:
        raise UnreadableFileError(f"is larger than {limit >> 20} MiB, which no such file needs to be")
    return parse_json_object(content)


def parse_json_object(content: bytes) -> dict[str, Any]:
    """The JSON object in the bytes of a file. Raises UnreadableFileError."""
    try:
        value = json.loads(content.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise UnreadableFileError("is nested too deeply") from None
    except ValueError as error:
        raise UnreadableFileError(f"is not valid JSON ({quoted(error, 80)})") from error
    if not isinstance(value, dict):
        raise UnreadableFileError(f"holds a {type(value).__name__} where a JSON object was expected")
    return value
