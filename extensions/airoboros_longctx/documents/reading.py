"""A file in, its text and metadata out: the one way in which files become documents."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from ..core.foreign_text import UnreadableFileError, quoted, read_bytes
from .child import Answer, CancelledError, PackageError, read_in_child, too_long
from .file_types import (
    PACKAGES,
    READERS,
    SAVE_AS,
    TABLES,
    install_command,
    missing_packages,
    readable_types,
    why_not_read,
)
from .limits import ReadingLimits
from .plain_text import decode, delimiter_of, rows_as_lines
from .read_document import (
    Cancelled,
    DocumentReadError,
    Progress,
    ReadDocument,
    ReadingCancelledError,
    base_name,
    shown,
)

#: The order of the pairs that a format says; then comes ``file`` or ``url``.
PAIRS = ("title", "author", "date", "url", "pages", "slides", "sheets")
_LIMITS = ReadingLimits()
_VALUE_CHARACTERS = 300
_URL_CHARACTERS = 2000
_NO_TEXT = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def read_document(
    path: Path,
    name: str,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    limits: ReadingLimits = _LIMITS,
) -> ReadDocument:
    """Read the file at ``path``, which its owner calls ``name``; the type is the name's.

    ``progress`` is called with pages (slides, sheets, chapters) done and in all, never for plain text. Raises
    DocumentReadError with one sentence, ReadingCancelledError where ``cancelled`` said so.
    """
    name = base_name(name)
    answer = read_file(path, PurePosixPath(name).suffix.lower(), shown(name), progress, cancelled, limits)
    pairs = named_pairs(answer)
    title = pairs.get("title") or quoted(PurePosixPath(name).stem) or name
    return ReadDocument(title, answer.text, (*pairs.items(), ("file", name)), tuple(map(quoted, answer.notes)))


def read_file(
    path: Path,
    suffix: str,
    called: str,
    progress: Progress | None,
    cancelled: Cancelled | None,
    limits: ReadingLimits = _LIMITS,
) -> Answer:
    """The text of a file and what it says about itself. Raises DocumentReadError; ``called`` begins its sentence."""
    try:
        if suffix in SAVE_AS:
            raise UnreadableFileError(why_not_read(suffix))
        if not path.is_file():
            raise UnreadableFileError("is not a plain file; one is needed.")
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise UnreadableFileError(
                f"has {size / (1 << 20):.1f} MiB; at most {limits.file_bytes >> 20} MiB are read. Split it, or paste "
                "the part you need."
            )
        if size == 0:
            raise UnreadableFileError("is empty; a file with text is needed.")
        if suffix not in READERS:
            answer = _read_here(path, suffix, limits)
        elif missing := missing_packages(suffix):
            raise DocumentReadError(f"{called} was not read. {missing}")
        else:
            answer = read_in_child(path, READERS[suffix].module, limits, progress, cancelled)
            answer.pieces = [_NO_TEXT.sub("", answer.text).strip()]
        if not answer.text.strip():
            raise UnreadableFileError("holds no text; something with text is needed.")
        return answer
    except UnreadableFileError as error:
        raise DocumentReadError(f"{called} {error}") from error
    except OSError as error:
        raise DocumentReadError(
            f"{called} could not be read ({error.strerror or type(error).__name__}); try again."
        ) from error
    except CancelledError:
        raise ReadingCancelledError(f"{called} was not read: it was cancelled.") from None
    except PackageError as error:
        packages = [PACKAGES[one] for one in READERS[suffix].packages]
        raise DocumentReadError(
            f"{called} was not read, because a package cannot be imported ({quoted(error, 120)}); run "
            f"{install_command(packages)} in the Python environment of this program, then try again."
        ) from error


def _read_here(path: Path, suffix: str, limits: ReadingLimits) -> Answer:
    content, more = read_bytes(path, limits.file_bytes)
    if more:
        raise UnreadableFileError("grew while it was read; try again.")
    try:
        text, note = decode(content, guess=suffix in readable_types())
    except UnreadableFileError as error:
        raise error if suffix in readable_types() else UnreadableFileError(why_not_read(suffix)) from error
    if suffix in TABLES and len(text) <= limits.characters:
        text = rows_as_lines(text, delimiter_of(text, suffix))
    if len(text) > limits.characters:
        raise too_long(limits.characters)
    return Answer([text], notes=[note] if note else [])


def named_pairs(answer: Answer) -> dict[str, str]:
    """What a file says about itself, in the order of PAIRS, as single printable lines; what it says first counts."""
    said: dict[str, str] = {}
    for key, value in answer.pairs:
        line = quoted(value, _URL_CHARACTERS if key == "url" else _VALUE_CHARACTERS)
        if line:
            said.setdefault(key, line)
    return {key: said[key] for key in PAIRS if key in said}
