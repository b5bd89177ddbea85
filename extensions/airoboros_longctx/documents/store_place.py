"""The folder in which documents are kept: never one that a webui serves over HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ..core.foreign_text import quoted
from .store_errors import DocumentStoreError


def default_folder() -> Path:
    """Raises DocumentStoreError where nobody's home is known."""
    try:
        return Path.home() / ".airoboros_longctx" / "documents"
    except RuntimeError:
        raise DocumentStoreError(
            "No documents are stored: the folder of the user is not known. Name a folder with documents_folder."
        ) from None


def store_folder(named: str, served: Iterable[Path] = ()) -> Path:
    """The folder ``named``, "" for the default one. ``served`` are folders of a webui that others may read.

    Raises DocumentStoreError for a path that is none, and for one in a served folder, unless what is directly in that
    folder starts with a dot: a webui of 2023 hands out every other file below its own folder, a later one those of
    some folders in it with whatever is in them.
    """
    if not named.strip():
        folder = default_folder()
    else:
        folder = _expanded(named.strip())
        if not folder.is_absolute():
            raise DocumentStoreError(
                f"No documents are stored: documents_folder is {quoted(named)!r}; a whole path such as "
                "/home/me/documents is needed."
            )
    for root in served:
        if _is_served(folder, root):
            raise DocumentStoreError(
                f"No documents are stored: the folder {quoted(folder)!r} is in {quoted(root)!r}, from where the webui "
                "hands out files to everybody who reaches it. Name another folder with documents_folder."
            )
    return folder


def _expanded(named: str) -> Path:
    try:
        return Path(named).expanduser() if "\0" not in named else Path()
    except RuntimeError:  # ~ and somebody who has no home
        return Path()


def _is_served(folder: Path, root: Path) -> bool:
    """As it is written and as it is after links: a webui may check either."""
    pairs = ((os.path.normpath(folder), os.path.abspath(root)), (os.path.realpath(folder), os.path.realpath(root)))  # noqa: PTH100
    for inner, outer in ((Path(os.path.normcase(one)), Path(os.path.normcase(other))) for one, other in pairs):
        if inner.is_relative_to(outer):
            below = inner.relative_to(outer).parts
            if not below or not below[0].startswith("."):
                return True
    return False
