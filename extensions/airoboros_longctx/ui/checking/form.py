"""The fields of the panel as what a check is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ...core.checking.check_options import CheckError, CheckOptions
from ...core.foreign_text import quoted
from ...documents.reading import read_document
from ..documents.uploads import delete_upload, uploaded_path, uploads_in

_MOST_FILES = 20
_MOST_LENGTHS = 24


def options_of(contexts: object, compare_unscaled: object) -> CheckOptions:
    """The options without texts. Raises CheckError with a sentence where the lengths are none."""
    return CheckOptions(contexts=context_tokens(contexts), compare_unscaled=bool(compare_unscaled))


def context_tokens(typed: object) -> tuple[int, ...]:
    """``64, 128 256`` as lengths in tokens; () where nothing was typed. Raises CheckError."""
    words = [word for word in re.split(r"[\s,;…]+", str(typed or "")) if word]
    for word in words:
        if not re.fullmatch(r"[0-9]{1,7}", word):
            raise CheckError(
                f"The context length {quoted(word, 40)!r} is no number of tokens; numbers such as 64, 256, 1024 are "
                "needed, or nothing for all of them."
            )
    if len(words) > _MOST_LENGTHS:
        raise CheckError(f"{len(words)} context lengths were given; at most {_MOST_LENGTHS} are measured at once.")
    return tuple(sorted({int(word) for word in words}))


def texts_of(files: object, named: bool) -> Callable[[Callable[[], bool]], Sequence[tuple[str, str]]]:
    """A function that reads the uploaded ``files``, as (name, text), and deletes them, whatever happens.

    Without ``named``, as where several people use the server, a result does not say what the files are called.
    """
    given = uploads_in(files)

    def read(cancelled: Callable[[], bool]) -> list[tuple[str, str]]:
        try:
            if len(given) > _MOST_FILES:
                raise CheckError(f"{len(given)} files came; at most {_MOST_FILES} are read for a check.")
            return [_read(file, number, named, cancelled) for number, file in enumerate(given, 1)]
        finally:
            forget(given)

    return read


def forget(files: Any) -> None:
    """Delete uploads that are not read."""
    for file in uploads_in(files):
        delete_upload(file)


def _read(file: Any, number: int, named: bool, cancelled: Callable[[], bool]) -> tuple[str, str]:
    path = uploaded_path(file)
    document = read_document(path, path.name, cancelled=cancelled)
    return (quoted(path.name, 80) if named else f"text {number}"), document.text
