"""``documents``: what is stored of documents, for whoever owns the folder: list it, export it, delete it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted
from ..core.ports import StoredShelf
from ..documents.store import FileDocumentStore
from ..documents.store_place import store_folder

NAME = "documents"
HELP = "list, export or delete the stored documents"
DESCRIPTION = """\
What is stored of the documents that were added in a webui or in the workbench, of everybody who used them here.

  python -m extensions.airoboros_longctx documents list
  python -m extensions.airoboros_longctx documents export FILE.zip
  python -m extensions.airoboros_longctx documents delete --all

A shelf holds the documents of one chat, of one character, or of every chat of a person. It is named by the first
characters of its id, as in the list.
"""
_HEADINGS = ("shelf", "documents", "size", "for", "person", "character", "chat", "webui")
_ID_CHARACTERS, _FEWEST_ID_CHARACTERS = 8, 4
_CONFIRMATION = "delete"


class DocumentsCommandError(AiroborosLongctxError):
    """What was asked of the stored documents cannot be done."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="list the shelves")
    exporting = actions.add_parser("export", help="write every document to a zip")
    exporting.add_argument("file", metavar="FILE.zip", help="a file that is not there yet")
    deleting = actions.add_parser("delete", help="delete shelves with all their documents")
    deleting.add_argument("shelves", nargs="*", metavar="SHELF", help="a shelf, as the list names it")
    deleting.add_argument("--all", action="store_true", help="delete every shelf")
    deleting.add_argument("--yes", action="store_true", help="do not ask")
    for action in (listing, exporting, deleting):
        action.add_argument(
            "--folder", default="", metavar="F", help="where they are stored, if documents_folder names a place"
        )


def run(arguments: argparse.Namespace) -> int:
    named = arguments.folder
    folder = store_folder(os.path.abspath(Path(named).expanduser()) if named else "")  # noqa: PTH100 - links stay
    store = FileDocumentStore(folder)
    if arguments.action == "list":
        _list(store, folder)
    elif arguments.action == "export":
        _export(store, Path(arguments.file))
    else:
        _delete(store, arguments)
    return 0


def _list(store: FileDocumentStore, folder: Path) -> None:
    found = store.every_shelf()
    if not store.folders():
        print(f"No documents are stored in {quoted(folder)}.")
        return
    rows = [_HEADINGS, *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for stored in found:
        for problem in store.problems(stored.shelf):
            print(f"note: {stored.id[:_ID_CHARACTERS]}: {problem}", file=sys.stderr)
    known = {stored.id for stored in found}
    for name in store.folders():
        if name not in known:
            print(f"note: {name[:_ID_CHARACTERS]}: this shelf does not say whose it is.", file=sys.stderr)


def _row(stored: StoredShelf) -> tuple[str, ...]:
    shelf = stored.shelf
    fields = (shelf.scope, shelf.person, shelf.character, shelf.chat, shelf.installation)
    return (
        stored.id[:_ID_CHARACTERS],
        str(stored.documents),
        f"{stored.size_bytes / 1024:.1f} KiB",
        *(quoted(field, 60) or "-" for field in fields),
    )


def _export(store: FileDocumentStore, path: Path) -> None:
    shelves = store.every_shelf()
    if not shelves:
        raise DocumentsCommandError("No documents are stored; there is nothing to export.")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except FileExistsError:
        raise DocumentsCommandError(f"{quoted(path)!r} is there already; name a file that is not.") from None
    except OSError as error:
        raise DocumentsCommandError(f"{quoted(path)!r} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            store.write_zip(file, shelves)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise DocumentsCommandError(f"{quoted(path)!r} cannot be written: {error.strerror}.") from None
    print(f"{_count(sum(one.documents for one in shelves), 'document')} exported to {quoted(path)}.")


def _delete(store: FileDocumentStore, arguments: argparse.Namespace) -> None:
    if bool(arguments.shelves) == arguments.all:
        raise DocumentsCommandError("Nothing was deleted: name the shelves, or --all without any.")
    ids = store.folders() if arguments.all else [_id(store, named) for named in arguments.shelves]
    if not ids:
        print("No documents are stored; there is nothing to delete.")
        return
    ids = sorted(set(ids))
    what = f"{_count(len(ids), 'shelf', 'shelves')} with {_count(sum(map(store.count, ids)), 'document')}"
    if not arguments.yes and not _confirmed(what):
        raise DocumentsCommandError("Nothing was deleted: it was not confirmed.")
    store.delete_folders(ids)
    print(f"{what} deleted.")


def _id(store: FileDocumentStore, named: str) -> str:
    ids = [found for found in store.folders() if found.startswith(named)]
    if len(named) < _FEWEST_ID_CHARACTERS or len(ids) != 1:
        raise DocumentsCommandError(
            f"Nothing was deleted: {quoted(named)!r} names {len(ids)} shelves; at least {_FEWEST_ID_CHARACTERS} "
            "characters that begin the id of one shelf are needed, as in the list."
        )
    return ids[0]


def _confirmed(what: str) -> bool:
    try:
        return input(f"{what} will be deleted for good. Type {_CONFIRMATION!r} to go on: ").strip() == _CONFIRMATION
    except EOFError:
        return False


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
