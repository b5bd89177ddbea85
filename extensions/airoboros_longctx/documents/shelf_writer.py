"""Changes the folder of one shelf. Whenever it is stopped, the folder says the old documents or the new ones."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..core.documents.chat_session import ChatDocument
from ..core.documents.place import Shelf
from ..core.foreign_text import UnreadableFileError
from .atomic_files import make_folder, read_plain_file, sync_folder, write_file
from .shelf_folder import (
    DAMAGED_ORDER,
    ORDER,
    OUR_FILE,
    SHELF,
    Entry,
    encode_document,
    encode_order,
    encode_shelf,
    entry_for,
    new_document_file,
)
from .shelf_reader import DOCUMENT_BYTES, ORDER_BYTES, ShelfContent
from .store_errors import DocumentStoreError


def write_shelf(folder: Path, shelf: Shelf, before: ShelfContent, after: Sequence[ChatDocument]) -> None:
    """Have ``folder`` say ``after`` where it says ``before``; a text that is there already is not written again.

    The store's lock is held. Damaged documents stay in their places. Raises OSError, DocumentStoreError.
    """
    if _same(before, after):
        return
    make_folder(folder)
    _write_shelf_file(folder / SHELF, encode_shelf(shelf))
    entries = _write_documents(folder, before, after)
    order = encode_order(entries)
    if len(order) > ORDER_BYTES:
        raise DocumentStoreError(f"The change was not stored: {len(after)} documents are too many for one place.")
    sync_folder(folder)
    if before.damage:
        _put_aside(folder)
    write_file(folder / ORDER, order)  # this is the change
    sync_folder(folder)
    with suppress(OSError):  # what stays is found at the next change
        if entries:
            _remove_files(folder, keep={SHELF, ORDER, *(entry.file for entry in entries)})
        else:
            remove_shelf(folder)


def remove_shelf(folder: Path) -> None:
    """Remove every file of ours in ``folder``, and the folder if nothing else is in it. Raises OSError."""
    if folder.is_symlink() or not folder.is_dir():
        return
    (folder / ORDER).unlink(missing_ok=True)  # first: without it, the rest is rubbish
    sync_folder(folder)
    _remove_files(folder, keep={SHELF})
    for name in (DAMAGED_ORDER, SHELF):  # whose it was is known to the end, should this be stopped
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # somebody else's file is in it
        folder.rmdir()
    sync_folder(folder.parent)


def _same(before: ShelfContent, after: Sequence[ChatDocument]) -> bool:
    ids = [document.id for document in before.readable]
    return not before.damage and before.readable == tuple(after) and ids == [document.id for document in after]


def _write_shelf_file(path: Path, content: bytes) -> None:
    with suppress(OSError, UnreadableFileError):
        if read_plain_file(path, len(content)) == content:
            return
    write_file(path, content)


def _write_documents(folder: Path, before: ShelfContent, after: Sequence[ChatDocument]) -> list[Entry]:
    """Write the texts that are new, and return the whole list with the damaged documents where they were."""
    there = list(zip(before.entries, before.documents, strict=True))
    files = {_content(found): entry.file for entry, found in there if isinstance(found, ChatDocument)}
    entries = []
    for number, document in enumerate(after, 1):
        content = _content(document)
        if content not in files:
            files[content] = new_document_file()
            _write_document(folder / files[content], document, number)
        entries.append(entry_for(document, files[content]))
    for position, (entry, found) in enumerate(there):
        if isinstance(found, str):
            entries.insert(position, entry)
    return entries


def _write_document(path: Path, document: ChatDocument, number: int) -> None:
    encoded = encode_document(document)
    if len(encoded) > DOCUMENT_BYTES:
        raise DocumentStoreError(
            f"Document {number} was not stored: it takes {-(-len(encoded) >> 20)} MiB, and {DOCUMENT_BYTES >> 20} MiB "
            "is the most. Nothing was changed; add it in parts."
        )
    write_file(path, encoded)


def _content(document: ChatDocument) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    return document.id, document.title, document.text, document.metadata


def _put_aside(folder: Path) -> None:
    """Keep a damaged list under another name, for whoever wants to look at it."""
    with suppress(OSError):
        (folder / DAMAGED_ORDER).unlink(missing_ok=True)
        (folder / DAMAGED_ORDER).hardlink_to(folder / ORDER)


def _remove_files(folder: Path, keep: set[str]) -> None:
    for path in list(folder.iterdir()):
        if OUR_FILE.fullmatch(path.name) and path.name not in keep:
            path.unlink()
