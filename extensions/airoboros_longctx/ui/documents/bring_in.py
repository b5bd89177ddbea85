"""Bringing documents in from files and from the web: with progress, and a way to stop.

Reading takes seconds to minutes, so it runs as a queued event of its own that leaves the page's session alone; what it
read is handed to a step, which is quick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...core.documents.chat_session import ChatDocument
from ...core.errors import AiroborosLongctxError
from ...documents.read_document import Cancelled, Progress, ReadDocument
from ...documents.reading import read_document
from ...documents.web_page import fetch_document
from .messages import note_html, sentence_of
from .uploads import delete_upload, uploaded_path, uploads_in

_SAY_EVERY_SECONDS = 0.4
#: What a file's progress counts.
_PARTS = {".pdf": "page", ".pptx": "slide", ".xlsx": "sheet", ".epub": "chapter"}
_MOST_SENTENCES = 10


@dataclass(frozen=True)
class BringInLimits:
    """The most that is taken at once: files of one drop, and characters of all their texts together."""

    files: int = 200
    characters: int = 50_000_000


_LIMITS = BringInLimits()
#: What a reading leaves for the step that follows: the documents, what was done, and what went wrong.
Brought = tuple[tuple[ChatDocument, ...], str, str]


class Source(NamedTuple):
    """One thing to read: its name in the progress, what its parts are called, and the reading itself."""

    name: str
    part: str
    read: Callable[[Progress, Cancelled], ReadDocument]


def on_files(files: Any, limits: BringInLimits = _LIMITS) -> Iterator[list[Any]]:
    """Read uploaded files one by one; one that cannot be read is named, and the others are taken.

    Yields [brought, stopping, words, reading, adding, upload]. Every file is deleted in the end.
    """
    found = uploads_in(files)
    taken = found[: limits.files]
    problems = []
    if len(found) > len(taken):
        problems = [f"{len(found)} files came; the first {len(taken)} were taken, which is the most at once."]

    def source(number: int, file: Any) -> Source:
        part = _PARTS.get(Path(str(getattr(file, "name", file))).suffix.lower(), "part")
        name = f"file {number} of {len(taken)}" if len(taken) > 1 else "the file"

        def read(progress: Progress, cancelled: Cancelled) -> ReadDocument:
            path = uploaded_path(file)
            return read_document(path, path.name, progress=progress, cancelled=cancelled)

        return Source(name, part, read)

    try:
        yield from _read([source(number, file) for number, file in enumerate(taken, 1)], problems, limits)
    finally:
        for file in found:
            delete_upload(file)


def on_address(address: Any) -> Iterator[list[Any]]:
    """Read a web page. Yields as ``on_files``."""
    url = str(address or "").strip()

    def read(progress: Progress, cancelled: Cancelled) -> ReadDocument:
        if not url:
            raise AiroborosLongctxError("No address was given; one such as https://web.site/page is needed.")
        return fetch_document(url, progress=progress, cancelled=cancelled)

    yield from _read([Source("the web page", "part", read)], [], _LIMITS)


def _read(sources: Sequence[Source], problems: list[str], limits: BringInLimits) -> Iterator[list[Any]]:
    import gradio as gr

    stopping, documents, characters = threading.Event(), list[ChatDocument](), 0
    busy = [gr.update(visible=True), gr.update(visible=False)]
    idle = list(reversed(busy))
    words = ""
    yield [None, stopping, note_html("Reading …"), *busy, gr.update()]
    try:
        for number, source in enumerate(sources):
            if stopping.is_set():
                break
            if characters > limits.characters:
                problems.append(
                    f"{len(sources) - number} were not read: at most {limits.characters} characters are taken at once."
                )
                break
            try:
                for shown in (watched := _Watched(source, stopping)):
                    yield [gr.update(), gr.update(), note_html(shown), *busy, gr.update()]
                document = watched.document
            except Exception as error:
                if not stopping.is_set():
                    problems.append(sentence_of(error, f"{source.name[0].upper()}{source.name[1:]} could not be read"))
                continue
            characters += len(document.text)
            documents.append(ChatDocument(document.title, document.text, document.metadata))
            problems += [f"{document.title}: {note}" for note in document.notes]
        words = f"{len(documents)} added." if documents else ""
        if stopping.is_set():
            words = f"Cancelled; {len(documents)} of {len(sources)} were added."
    finally:
        stopping.set()
    brought: Brought = (tuple(documents), words, _in_short(problems))
    yield [brought, None, "", *idle, None]


class _Watched:
    """A reading in a thread of its own: iterate over what it says of its progress, then take ``document``."""

    def __init__(self, source: Source, stopping: threading.Event) -> None:
        self._source = source
        self._stopping = stopping
        self._at: tuple[int, int] | None = None
        self.document = ReadDocument("", "")

    def __iter__(self) -> Generator[str, None, None]:
        """Raises what the reading raises."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(self._source.read, self._progress, self._stopping.is_set)
            try:
                while not wait([future], _SAY_EVERY_SECONDS).done:
                    part = f", {self._source.part} {self._at[0]} of {self._at[1]}" if self._at else ""
                    yield f"Reading {self._source.name}{part} …"
            except GeneratorExit:  # the page has gone away
                self._stopping.set()
                raise
            self.document = future.result()

    def _progress(self, done: int, of: int) -> None:
        self._at = (done, of)


def on_cancel(stopping: threading.Event | None) -> None:
    """End the reading that is under way; what was read before stays."""
    if stopping is not None:
        stopping.set()


def _in_short(problems: Sequence[str]) -> str:
    more = len(problems) - _MOST_SENTENCES
    shown = list(problems[:_MOST_SENTENCES])
    if more > 0:
        shown.append(f"{more} more of these are not shown.")
    return " ".join(shown)
