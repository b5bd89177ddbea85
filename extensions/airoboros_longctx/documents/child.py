"""The parent's side of reading in a process of its own: start it, listen to it, end it.

A file from a stranger can make a parser hang, allocate without end or crash. It does so in a child process, which has
a limit of memory (where the system has such limits) and of time, and whose answer is bounded here.

The child is ``read_in_child.py``. It writes lines to its standard output, each a JSON object with one key:

    {"progress": [3, 12]}    3 of 12 pages are done
    {"text": "…"}            the next piece of the text
    {"pair": ["author", "…"]}    what the file says about itself
    {"note": "…"}            a sentence for the user
    {"error": "…"}           why it cannot be read, without the name at the beginning; the last line
    {"package": "…"}         a package that cannot be imported, and why; the last line
    {"done": true}           the last line of a file that was read
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.foreign_text import UnreadableFileError
from .limits import ReadingLimits
from .read_document import Cancelled, Progress

CHILD = Path(__file__).with_name("read_in_child.py")
_MOST_LINE_BYTES = 1 << 20
_MOST_PAIRS = 20
_LOOK_EVERY_SECONDS = 0.05
_END_SECONDS = 5.0
#: Threads of number libraries would take address space that a reader never uses.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class CancelledError(Exception):
    """The user ended it."""


class PackageError(Exception):
    """A package that the reader needs cannot be imported."""


@dataclass
class Answer:
    """What the child has said so far."""

    pieces: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    progress: tuple[int, int] | None = None
    done: bool = False
    error: Exception | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def read_in_child(
    path: Path,
    reader: str,
    limits: ReadingLimits,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    command: Sequence[str] = (),
) -> Answer:
    """Read ``path`` with a module of ``readers/``; ``command`` stands in for the child in tests.

    Raises UnreadableFileError (a sentence without its beginning), PackageError or CancelledError.
    """
    given = [str(path), reader, str(limits.memory_bytes), str(limits.characters), str(int(limits.seconds) + 5)]
    process = subprocess.Popen(
        [*(command or (sys.executable, str(CHILD))), *given],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback could hold the document's text
        env=os.environ | _ONE_THREAD,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    answer = Answer()
    listener = threading.Thread(target=_listen, args=(process, answer, limits.characters), daemon=True)
    listener.start()
    try:
        _wait(listener, answer, limits.seconds, progress, cancelled)
    finally:
        process.kill()
        process.wait()
        listener.join(_END_SECONDS)
        if process.stdout and not listener.is_alive():
            process.stdout.close()
    if answer.error:
        raise answer.error
    if not answer.done:
        raise UnreadableFileError(
            "could not be read: its reader broke off without a reason; the file may be damaged, or need more than "
            f"{limits.memory_bytes >> 20} MiB of memory. Save it anew, or paste the part you need."
        )
    return answer


def _wait(
    listener: threading.Thread, answer: Answer, seconds: float, progress: Progress | None, cancelled: Cancelled | None
) -> None:
    deadline = time.monotonic() + seconds
    said: tuple[int, int] | None = None
    while listener.is_alive():
        listener.join(_LOOK_EVERY_SECONDS)
        if progress and answer.progress and answer.progress != said:
            said = answer.progress
            progress(*said)
        if cancelled and cancelled():
            raise CancelledError
        if listener.is_alive() and time.monotonic() > deadline:
            raise UnreadableFileError(
                f"could not be read within {seconds:g} seconds; split it, or paste the part you need."
            )


def _listen(process: subprocess.Popen[bytes], answer: Answer, most_characters: int) -> None:
    """Take in lines until the child has finished, or said something that it never says."""
    assert process.stdout is not None
    characters = 0
    while not answer.done and not answer.error:
        line = process.stdout.readline(_MOST_LINE_BYTES)
        if not line:
            return
        try:
            ((key, value),) = json.loads(line).items()
            _take(answer, key, value)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            answer.error = UnreadableFileError("could not be read: its reader gave an answer that makes no sense.")
            return
        if key == "text":
            characters += len(value)
            if characters > most_characters:
                answer.error = too_long(most_characters)


def too_long(most_characters: int) -> UnreadableFileError:
    return UnreadableFileError(f"holds more than {most_characters:,} characters of text; split it.")


def _take(answer: Answer, key: str, value: Any) -> None:
    if key == "text":
        answer.pieces.append(_string(value))
    elif key == "progress":
        done, total = value
        answer.progress = (int(done), int(total))
    elif key == "pair":
        name, text = value
        if len(answer.pairs) < _MOST_PAIRS:
            answer.pairs.append((_string(name), _string(text)))
    elif key == "note":
        if len(answer.notes) < _MOST_PAIRS:
            answer.notes.append(_string(value))
    elif key == "error":
        answer.error = UnreadableFileError(_string(value))
    elif key == "package":
        answer.error = PackageError(_string(value))
    elif key == "done":
        answer.done = True
    else:
        raise KeyError(key)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
