"""The metadata of a GGUF file: its header and key-values, never its tensors.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 1 to 3. A file is foreign data: every length
is checked against the file's size before anything is read, and what is long is skipped, so no file costs more than a
few megabytes of memory and about a second.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from ..foreign_text import quoted

#: One value of the metadata. An array of numbers is a tuple; a longer one, or one of texts, is left out.
GgufValue = int | float | bool | str | tuple[int | float | bool, ...]

MAGIC = b"GGUF"
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_KEYS = 10_000
_LONGEST_KEY = 65_535
#: A chat template is the longest text that is of use.
_LONGEST_TEXT = 1 << 18
#: One number for each layer, and more than any model has layers.
_LONGEST_ARRAY = 1024
#: Texts of an array have to be walked through; the largest vocabularies have half a million entries.
_MOST_TEXTS = 2_000_000


class GgufError(Exception):
    """A file whose metadata cannot be read. The text says what was found, and reads on from the file's name."""


def read_gguf_metadata(path: Path) -> Mapping[str, GgufValue]:
    """The key-values of the GGUF file at ``path``; raises GgufError, and nothing else."""
    try:
        if not path.is_file():
            raise GgufError("is not a plain file")
        with path.open("rb") as file:
            return _Reader(file, os.fstat(file.fileno()).st_size).metadata()
    except OSError as error:
        raise GgufError(f"could not be read ({error.strerror or type(error).__name__})") from error


class _Reader:
    """Reads forward only. ``_length`` is the format of a count: 4 bytes in version 1, 8 bytes since."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size
        self._length = "Q"
        self._texts = 0

    def metadata(self) -> Mapping[str, GgufValue]:
        if self._left < len(MAGIC) or self._bytes(len(MAGIC)) != MAGIC:
            raise GgufError("is no GGUF file (it does not begin with “GGUF”)")
        version = int(self._number("I"))
        if not version & 0xFFFF:
            raise GgufError("is a big-endian GGUF file, which is not read here")
        if version not in (1, 2, 3):
            raise GgufError(f"is of GGUF version {version}; versions 1 to 3 are read")
        self._length = "I" if version == 1 else "Q"
        self._count()  # tensors
        keys = self._count()
        if keys > _MOST_KEYS:
            raise GgufError(f"claims {keys} metadata keys, more than any model has")
        values: dict[str, GgufValue] = {}
        for _ in range(keys):
            key = self._text(_LONGEST_KEY)
            if key is None:
                raise GgufError("has a metadata key of impossible length")
            if key in values:
                raise GgufError(f"states {quoted(key, 60)} twice")
            value = self._value(int(self._number("I")))
            if value is not None:
                values[key] = value
        return values

    def _value(self, kind: int) -> GgufValue | None:
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind == _STRING:
            return self._text(_LONGEST_TEXT)
        if kind == _ARRAY:
            return self._array()
        raise GgufError(f"has a metadata value of unknown type {kind}")

    def _array(self) -> GgufValue | None:
        kind, count = int(self._number("I")), self._count()
        if kind in _NUMBERS:
            size = struct.calcsize(f"<{_NUMBERS[kind]}")
            if count > _LONGEST_ARRAY:
                self._skip(count * size)
                return None
            return struct.unpack(f"<{count}{_NUMBERS[kind]}", self._bytes(count * size))
        if kind != _STRING:
            raise GgufError(f"has a metadata array of type {kind}, which is not read")
        self._texts += count
        if self._texts > _MOST_TEXTS:
            raise GgufError(f"claims {self._texts} texts in its metadata, more than any vocabulary has")
        for _ in range(count):
            self._skip(self._count())
        return None

    def _text(self, longest: int) -> str | None:
        """A text; None where it is longer than ``longest`` bytes."""
        length = self._count()
        if length > longest:
            self._skip(length)
            return None
        return self._bytes(length).decode("utf-8", "replace")

    def _count(self) -> int:
        return int(self._number(self._length))

    def _number(self, form: str) -> int | float | bool:
        value: int | float | bool = struct.unpack(f"<{form}", self._bytes(struct.calcsize(f"<{form}")))[0]
        return value

    def _bytes(self, length: int) -> bytes:
        self._take(length)
        content = self._file.read(length)
        if len(content) < length:
            raise GgufError("ends in the middle of its metadata")
        return content

    def _skip(self, length: int) -> None:
        self._take(length)
        self._file.seek(length, os.SEEK_CUR)

    def _take(self, length: int) -> None:
        if length > self._left:
            raise GgufError("ends in the middle of its metadata")
        self._left -= length
