"""Stored documents as a zip that needs no program of ours to be read."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

from ..core.documents.chat_session import ChatDocument
from ..core.ports import StoredShelf
from .shelf_folder import encode_shelf
from .shelf_reader import ShelfContent

_NAME_CHARACTERS = 60


def write_zip(file: BinaryIO, shelves: Iterable[tuple[StoredShelf, ShelfContent]]) -> None:
    """Write a zip to ``file``: a folder for each shelf, in it ``shelf.json`` and for each document its text as ``.txt``
    and the rest as ``.json``; what is damaged is named in ``problems.txt``.

    Names in the zip are letters, digits, blanks, - and _ alone, and begin with a number.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (stored, content) in enumerate(shelves, 1):
            shelf = stored.shelf
            folder = _name(number, f"{shelf.scope} {shelf.character} {shelf.chat.rpartition('/')[2]}")
            archive.writestr(f"{folder}/shelf.json", encode_shelf(shelf))
            for place, document in enumerate(content.readable, 1):
                name = f"{folder}/{_name(place, document.title)}"
                archive.writestr(f"{name}.txt", document.text.encode("utf-8", "replace"))
                archive.writestr(f"{name}.json", _description(document))
            if content.problems:
                archive.writestr(f"{folder}/problems.txt", "\n".join(content.problems).encode("utf-8", "replace"))


def _description(document: ChatDocument) -> bytes:
    described = {"title": document.title, "metadata": [list(pair) for pair in document.metadata], "on": document.on}
    return json.dumps(described, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")


def _name(number: int, text: str) -> str:
    safe = "".join(character if character.isalnum() or character in "-_" else " " for character in text)
    return " ".join([f"{number:03}", *safe.split()])[:_NAME_CHARACTERS].strip()
