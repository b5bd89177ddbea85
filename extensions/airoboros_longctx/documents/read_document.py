"""What reading a file or a web page gives, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted

#: Called with what is done and how much there is in all: pages, slides, sheets or chapters.
Progress: TypeAlias = Callable[[int, int], None]
#: Asked several times a second while something is read; true ends the reading.
Cancelled: TypeAlias = Callable[[], bool]

NAME_CHARACTERS = 80


class DocumentReadError(AiroborosLongctxError):
    """A file or an address that is not read. The text is one sentence for the user, and names it."""


class ReadingCancelledError(DocumentReadError):
    """The user ended the reading; there is nothing to mend."""


@dataclass(frozen=True)
class ReadDocument:
    """A document that was read. ``title`` and the pairs are single printable lines.

    ``notes`` are sentences for the user about what may be amiss, such as pages without text; they are no metadata.
    """

    title: str
    text: str
    metadata: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def base_name(name: str) -> str:
    """The last part of a file name from anywhere, as one printable line: no folder of it is ever used."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return quoted(last, 4 * NAME_CHARACTERS).strip(". ") or "document"


def shown(name: str) -> str:
    """A name as it stands at the beginning of a sentence."""
    return quoted(name, NAME_CHARACTERS)
