"""Reads the folder of one shelf. What is damaged there costs itself alone, and is named."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.documents.chat_session import ChatDocument
from ..core.foreign_text import UnreadableFileError, parse_json_object, quoted
from .atomic_files import read_plain_file, stat_plain_file
from .document_cache import DocumentCache, cache_key
from .shelf_folder import DOCUMENT_FILE, ORDER, Entry, NewerFormatError, decode_document, decode_order, entry_for
from .store_errors import DocumentStoreError, reason, unreadable

#: The largest file of a document (twenty million characters of nearly any script), and the largest list of them.
DOCUMENT_BYTES, ORDER_BYTES = 64 << 20, 8 << 20
_ATTEMPTS = 5


@dataclass(frozen=True)
class ShelfContent:
    """``documents`` go with ``entries``, each a document or a word on its damage; ``damage`` is the list's own."""

    entries: tuple[Entry, ...] = ()
    documents: tuple[ChatDocument | str, ...] = ()
    damage: str = ""

    @property
    def readable(self) -> tuple[ChatDocument, ...]:
        return tuple(document for document in self.documents if isinstance(document, ChatDocument))

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for everything that is damaged."""
        sentences = [
            f"The stored document {entry.title!r} cannot be used: its file {entry.file} {found}. It is left where it "
            "is; the other documents are not affected."
            for entry, found in zip(self.entries, self.documents, strict=True)
            if isinstance(found, str)
        ]
        if self.damage:
            sentences.append(
                f"The list of stored documents, {ORDER}, {self.damage}. Every document found beside it is shown, in "
                "the order in which they were stored, and switched on."
            )
        return tuple(sentences)


def read_shelf(folder: Path, cache: DocumentCache) -> ShelfContent:
    """What is in the shelf's ``folder``; one that is not there holds nothing. Raises DocumentStoreError."""
    entries = _entries(folder)
    for _ in range(_ATTEMPTS):
        if isinstance(entries, str):
            return _without_order(folder, cache, entries)
        documents = tuple(_document(folder / entry.file, entry.on, cache) for entry in entries)
        content = ShelfContent(entries, documents)
        if len(content.readable) == len(entries):
            break
        before, entries = entries, _entries(folder)
        if entries == before:  # else somebody changed the shelf just now, and removed what was replaced
            break
    return content


def count_documents(folder: Path) -> int:
    """How many documents are in ``folder``, damaged or not; none of them is read. Raises DocumentStoreError."""
    entries = _entries(folder)
    return len(_document_files(folder)) if isinstance(entries, str) else len(entries)


def _entries(folder: Path) -> tuple[Entry, ...] | str:
    """What order.json lists, or a word on its damage."""
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise DocumentStoreError("The stored documents cannot be read: where they should be is no folder.")
        return decode_order(parse_json_object(read_plain_file(folder / ORDER, ORDER_BYTES)))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except NewerFormatError:
        raise DocumentStoreError(
            "The stored documents cannot be read: a newer version of this extension wrote them. Update the extension."
        ) from None
    except UnreadableFileError as error:
        return str(error)
    except OSError as error:
        raise _unreadable(error) from None


def _document(path: Path, on: bool, cache: DocumentCache) -> ChatDocument | str:
    try:
        key = cache_key(path, stat_plain_file(path, DOCUMENT_BYTES))
        document = cache.get(key)
        if document is None:
            document = decode_document(parse_json_object(read_plain_file(path, DOCUMENT_BYTES)))
            cache.put(key, document)
    except UnreadableFileError as error:
        return quoted(error)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"could not be read ({reason(error)})"
    return replace(document, on=on)


def _without_order(folder: Path, cache: DocumentCache, damage: str) -> ShelfContent:
    """Every document in the folder, oldest first; of those with one id, the newest."""
    found: dict[str, tuple[Entry, ChatDocument | str]] = {}
    for path in _document_files(folder):
        document = _document(path, True, cache)
        if isinstance(document, str):
            found[path.name] = Entry(path.name, True), document
        else:
            found[f"id {document.id}"] = entry_for(document, path.name), document
    return ShelfContent(
        tuple(entry for entry, _ in found.values()), tuple(document for _, document in found.values()), damage
    )


def _document_files(folder: Path) -> list[Path]:
    """Oldest first."""
    try:
        found = [path for path in folder.iterdir() if DOCUMENT_FILE.fullmatch(path.name)]
        return sorted(found, key=lambda path: (path.lstat().st_mtime_ns, path.name))
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> DocumentStoreError:
    return unreadable(reason(error))
