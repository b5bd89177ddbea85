"""What is in the folder of one shelf: the names, and what people and programs read in the files. Touches no disk.

A store is a folder with a folder for each shelf, named by a hash of the shelf's fields, so that no name of a person,
character or chat is ever part of a path. In it:

``shelf.json``
    whose documents these are: scope, person, installation, character, chat. "" is none, or the only one there is.
``order.json``
    the documents in order: the file of each, whether it is on, and its title, which is there for people alone.
``document-….json``
    one document: id, title, metadata as [key, value] pairs, text. It is never written again: a document that is
    changed is a new file. So replacing ``order.json`` is the whole change, and what it does not name is rubbish.

All of it is UTF-8 JSON. Half a surrogate pair, which is no character, stands as its \\u escape; two that make a pair
come back as the character that they are. ``format`` is 1.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.documents.chat_session import ChatDocument
from ..core.documents.place import SCOPES, Shelf
from ..core.foreign_text import UnreadableFileError, quoted
from .atomic_files import NEW

FORMAT = 1
SHELF, ORDER, DAMAGED_ORDER = "shelf.json", "order.json", "order.json.damaged"
#: The folders of a store, and in them the files that are ours: any other is somebody else's.
SHELF_FOLDER = re.compile(r"[0-9a-f]{32}")
DOCUMENT_FILE = re.compile(r"document-[0-9a-f]{32}\.json")
OUR_FILE = re.compile(rf"(document-[0-9a-f]{{32}}|shelf|order)\.json(\.[0-9a-f]{{8}}{re.escape(NEW)})?")
_TITLE_CHARACTERS = 80


class NewerFormatError(Exception):
    """A file that a later version wrote."""


@dataclass(frozen=True)
class Entry:
    """A document in ``order.json``."""

    file: str
    on: bool
    title: str = ""


def folder_of(shelf: Shelf) -> str:
    """The name of the shelf's folder. The fields are hashed as a list: no two shelves can spell the same one."""
    fields = [shelf.scope, shelf.person, shelf.installation, shelf.character, shelf.chat]
    content = json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:32]


def new_document_file() -> str:
    return f"document-{secrets.token_hex(16)}.json"


def encode_shelf(shelf: Shelf) -> bytes:
    return _encode(
        scope=shelf.scope,
        person=shelf.person,
        installation=shelf.installation,
        character=shelf.character,
        chat=shelf.chat,
    )


def decode_shelf(found: dict[str, Any]) -> Shelf:
    """Raises UnreadableFileError."""
    names = ("person", "installation", "character", "chat")
    if found.get("scope") not in SCOPES or not all(isinstance(found.get(name), str) for name in names):
        raise UnreadableFileError("does not say whose documents these are")
    return Shelf(found["scope"], True, **{name: found[name] for name in names})


def encode_document(document: ChatDocument) -> bytes:
    return _encode(
        id=document.id, title=document.title, metadata=[list(pair) for pair in document.metadata], text=document.text
    )


def decode_document(found: dict[str, Any]) -> ChatDocument:
    """Raises UnreadableFileError."""
    for name in ("id", "title", "text"):
        if not isinstance(found.get(name), str):
            raise UnreadableFileError(f"has no {name}")
    metadata = found.get("metadata")
    if not isinstance(metadata, list) or not all(_is_pair(pair) for pair in metadata):
        raise UnreadableFileError("has metadata that are no list of pairs")
    return ChatDocument(found["title"], found["text"], tuple((key, value) for key, value in metadata), id=found["id"])


def encode_order(entries: Sequence[Entry]) -> bytes:
    return _encode(documents=[{"file": one.file, "on": one.on, "title": one.title} for one in entries])


def decode_order(found: dict[str, Any]) -> tuple[Entry, ...]:
    """Raises UnreadableFileError, NewerFormatError."""
    version, rows = found.get("format"), found.get("documents")
    if isinstance(version, int) and version > FORMAT:
        raise NewerFormatError
    if version != FORMAT or not isinstance(rows, list):
        raise UnreadableFileError("holds no list of documents")
    return tuple(_entry(row) for row in rows)


def entry_for(document: ChatDocument, file: str) -> Entry:
    return Entry(file, document.on, quoted(document.title, _TITLE_CHARACTERS))


def _entry(row: object) -> Entry:
    if isinstance(row, dict):
        file, on, title = row.get("file"), row.get("on"), row.get("title")
        if isinstance(file, str) and DOCUMENT_FILE.fullmatch(file) and isinstance(on, bool):
            return Entry(file, on, quoted(title, _TITLE_CHARACTERS) if isinstance(title, str) else "")
    raise UnreadableFileError("holds something that is no document")


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)


def _encode(**values: Any) -> bytes:
    text = json.dumps({"format": FORMAT, **values}, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "backslashreplace")  # what it escapes, half a pair, is JSON's own escape
