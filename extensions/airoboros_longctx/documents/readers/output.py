"""What a reader says, as lines of JSON (``child.py`` has the list), and how it refuses."""

from __future__ import annotations

import json
from typing import IO, Any

_PIECE_CHARACTERS = 1 << 16


class Refusal(Exception):
    """A file that is not read, and what to do: a sentence that continues the file's name."""


class Output:
    """Where a reader puts the text, in order, and everything else it finds."""

    def __init__(self, lines: IO[bytes], most_characters: int) -> None:
        self._lines = lines
        self._most_characters = most_characters
        self.characters = 0

    def text(self, text: str) -> None:
        self.characters += len(text)
        if self.characters > self._most_characters:
            raise Refusal(f"holds more than {self._most_characters:,} characters of text; split it.")
        for start in range(0, len(text), _PIECE_CHARACTERS):
            self._say("text", text[start : start + _PIECE_CHARACTERS])

    def pair(self, key: str, value: object) -> None:
        """What the file says about itself; nothing where it says nothing."""
        if value is not None and str(value).strip():
            self._say("pair", [key, str(value).strip()[:4000]])

    def note(self, sentence: str) -> None:
        self._say("note", sentence)

    def progress(self, done: int, total: int) -> None:
        self._say("progress", [done, total])
        self._lines.flush()

    def error(self, sentence: str) -> None:
        self._say("error", sentence)
        self._lines.flush()

    def package(self, reason: str) -> None:
        self._say("package", reason)
        self._lines.flush()

    def done(self) -> None:
        self._say("done", True)
        self._lines.flush()

    def _say(self, key: str, value: Any) -> None:
        self._lines.write(json.dumps({key: value}).encode("ascii") + b"\n")
