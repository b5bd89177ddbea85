"""Documents on a disk: a ``DocumentStore``. ``shelf_folder`` says what its files are."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..core.documents.chat_session import ChatDocument
from ..core.documents.place import SCOPES, Shelf
from ..core.foreign_text import UnreadableFileError, parse_json_object
from ..core.ports import StoredShelf
from .atomic_files import make_folder, read_plain_file
from .document_cache import DocumentCache
from .document_export import write_zip
from .shelf_folder import SHELF, SHELF_FOLDER, decode_shelf, folder_of
from .shelf_reader import ShelfContent, count_documents, read_shelf
from .shelf_writer import remove_shelf, write_shelf
from .store_errors import DocumentStoreError, reason, unreadable
from .store_lock import StoreLock

_LOCK = "lock"
_SHELF_BYTES = 1 << 20
_CACHE_BYTES = 128 << 20


class FileDocumentStore:
    """Keeps documents in ``folder``, which is made when the first is stored. For any number of threads and programs.

    Every method raises DocumentStoreError with a sentence that names no document, or its title to its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = StoreLock(folder / _LOCK)
        self._cache = DocumentCache(_CACHE_BYTES)

    @property
    def folder(self) -> Path:
        return self._folder

    # -- one shelf -------------------------------------------------------------------------------------------------

    def read(self, shelf: Shelf) -> tuple[ChatDocument, ...]:
        return self.content(shelf).readable

    def problems(self, shelf: Shelf) -> tuple[str, ...]:
        return self.content(shelf).problems

    def content(self, shelf: Shelf) -> ShelfContent:
        """What is on ``shelf``, damaged or not."""
        return read_shelf(self._folder / folder_of(shelf), self._cache)

    def change(
        self, shelf: Shelf, change: Callable[[tuple[ChatDocument, ...]], Sequence[ChatDocument]]
    ) -> tuple[ChatDocument, ...]:
        """As the port says. The store is locked while ``change`` runs: it must not come back here."""
        if not shelf.stored:
            raise ValueError("this shelf lives in its page alone")
        with self._locked():
            before = self.content(shelf)
            after = tuple(change(before.readable))
            with _sentence("The change of the documents was not stored"):
                write_shelf(self._folder / folder_of(shelf), shelf, before, after)
        return after

    # -- everything of a person --------------------------------------------------------------------------------------

    def shelves(self, person: str) -> tuple[StoredShelf, ...]:
        return tuple(one for one in self.every_shelf() if one.shelf.person == person)

    def every_shelf(self) -> tuple[StoredShelf, ...]:
        """The shelves of everybody: for whoever owns the folder."""
        found = [one for one in map(self._stored_shelf, self.folders()) if one is not None]
        return tuple(sorted(found, key=_place_in_list))

    def folders(self) -> tuple[str, ...]:
        """The ids of all shelves, also of those that do not say whose they are."""
        try:
            found = [path for path in self._folder.iterdir() if SHELF_FOLDER.fullmatch(path.name)]
            return tuple(sorted(path.name for path in found if path.is_dir() and not path.is_symlink()))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise unreadable(reason(error)) from None

    def count(self, name: str) -> int:
        """How many documents the shelf with the id ``name`` has, damaged or not."""
        return count_documents(self._folder / name)

    def export(self, person: str) -> bytes:
        file = io.BytesIO()
        self.write_zip(file, self.shelves(person))
        return file.getvalue()

    def write_zip(self, file: BinaryIO, shelves: Sequence[StoredShelf]) -> None:
        """Export ``shelves`` to ``file``. Raises OSError where it cannot be written."""
        write_zip(file, ((one, self.content(one.shelf)) for one in shelves))

    def delete(self, shelves: Sequence[Shelf]) -> None:
        self.delete_folders([folder_of(shelf) for shelf in shelves])

    def delete_folders(self, ids: Sequence[str]) -> None:
        """Remove the shelves with these ids, and every file of theirs."""
        if not self._folder.is_dir():
            return
        with self._locked(), _sentence("Not every document was deleted"):
            for name in ids:
                remove_shelf(self._folder / name)
        self._cache.clear()

    # ----------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with ExitStack() as stack:
            with _sentence("The stored documents cannot be changed"):
                make_folder(self._folder)
                stack.enter_context(self._lock.held())
            yield

    def _stored_shelf(self, name: str) -> StoredShelf | None:
        """None for a folder that does not say, or not truly, whose it is."""
        folder = self._folder / name
        with suppress(OSError, UnreadableFileError, DocumentStoreError):
            shelf = decode_shelf(parse_json_object(read_plain_file(folder / SHELF, _SHELF_BYTES)))
            if folder_of(shelf) == name:
                return StoredShelf(shelf, name, count_documents(folder), _size_bytes(folder))
        return None


def _size_bytes(folder: Path) -> int:
    size = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # a change replaced it just now: the shelf is there all the same
            size += path.lstat().st_size
    return size


@contextmanager
def _sentence(what: str) -> Iterator[None]:
    """An error of the system as a sentence without the name of a file."""
    try:
        yield
    except OSError as error:
        raise DocumentStoreError(
            f"{what}: {reason(error)}. What was stored before is still there. Make room on that disk, let this user "
            "write there, or name another folder with documents_folder."
        ) from None


def _place_in_list(stored: StoredShelf) -> tuple[str, int, str, str, str]:
    shelf = stored.shelf
    return shelf.person, SCOPES.index(shelf.scope), shelf.character, shelf.chat, stored.id
