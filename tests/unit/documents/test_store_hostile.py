"""What is damaged or meant badly in a store's folder costs itself alone, and is named; nothing else is touched."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument
from extensions.airoboros_longctx.documents import shelf_writer
from extensions.airoboros_longctx.documents.shelf_folder import folder_of
from extensions.airoboros_longctx.documents.store import FileDocumentStore
from extensions.airoboros_longctx.documents.store_errors import DocumentStoreError

from .conftest import CHAT, EVERYWHERE

BEFORE, BROKEN, AFTER = (ChatDocument(title, f"The text of {title}.", id=title) for title in ("one", "two", "three"))
posix = pytest.mark.skipif(sys.platform == "win32", reason="makes links and pipes as POSIX does")


@pytest.fixture
def shelf(store: FileDocumentStore, folder: Path) -> Path:
    """The folder of a shelf with three documents."""
    store.change(CHAT, lambda _: [BEFORE, BROKEN, AFTER])
    return folder / folder_of(CHAT)


def rows_of(shelf: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads((shelf / "order.json").read_text("utf-8"))["documents"]
    return rows


def file_of(shelf: Path, number: int) -> Path:
    return shelf / str(rows_of(shelf)[number]["file"])


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)


def link_out(path: Path) -> None:
    outside = path.parents[2] / "outside.json"
    path.replace(outside)
    path.symlink_to(outside)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def document(**changed: object) -> str:
    return json.dumps({"format": 1, "id": "two", "title": "two", "metadata": [], "text": "", **changed})


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (lambda path: os.truncate(path, 40), "is not valid JSON ("),
    "empty": (lambda path: os.truncate(path, 0), "is not valid JSON ("),
    "zeros": (lambda path: path.write_bytes(bytes(1000)), "is not valid JSON ("),
    "no object": (lambda path: path.write_text("[1]"), "holds a list where a JSON object was expected."),
    "text is a number": (lambda path: path.write_text(document(text=1)), "has no text."),
    "title is a list": (lambda path: path.write_text(document(title=["two"])), "has no title."),
    "no id": (lambda path: path.write_text(document(id=None)), "has no id."),
    "no pairs": (
        lambda path: path.write_text(document(metadata={"a": "b"})),
        "has metadata that are no list of pairs.",
    ),
    "a triple": (
        lambda path: path.write_text(document(metadata=[["a", "b", "c"]])),
        "has metadata that are no list of ",
    ),
    "a pair of lists": (
        lambda path: path.write_text(document(metadata=[[[], "b"]])),
        "has metadata that are no list of ",
    ),
    "nested deeply": (lambda path: path.write_text("[" * 200_000), "is nested too deeply."),
    "a number without end": (
        lambda path: path.write_text(document(x=0)[:-2] + "9" * 9999 + "}"),
        "is not valid JSON (",
    ),
    "one GiB": (huge, "is larger than 64 MiB."),
    "missing": (Path.unlink, "is missing."),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "is not a plain file."),
    "a link out": (link_out, "is not a plain file."),
    "a pipe": (pipe, "is not a plain file."),
}


@pytest.mark.parametrize("damage", [
    pytest.param(name, marks=posix) if name in ("a link out", "a pipe") else name for name in DAMAGES
])  # fmt: skip
def test_a_damaged_document_costs_itself_alone(damage, shelf, folder):
    broken = file_of(shelf, 1)
    spoil, says = DAMAGES[damage]
    spoil(broken)
    there = broken.lstat() if damage != "missing" else None
    for on in (True, False):
        store = FileDocumentStore(folder)
        assert store.read(CHAT) == (replace(BEFORE, on=on), AFTER)
        (problem,) = store.problems(CHAT)
        begin = f"The stored document 'two' cannot be used: its file {broken.name} {says}"
        assert problem.startswith(begin)
        assert problem.endswith(" It is left where it is; the other documents are not affected.")
        # a change of the others leaves it in its place, and in the list
        store.change(CHAT, lambda found: [replace(BEFORE, on=False), *found[1:]])
        assert rows_of(shelf)[1] == {"file": broken.name, "on": True, "title": "two"}
        assert not there or broken.lstat().st_ino == there.st_ino
    FileDocumentStore(folder).change(CHAT, lambda found: [])
    assert [row["title"] for row in rows_of(shelf)] == ["two"]


def test_a_document_that_was_repaired_is_back(store, shelf):
    broken = file_of(shelf, 1)
    content = broken.read_bytes()
    broken.write_bytes(content[:50])
    store.change(CHAT, lambda found: [*found, ChatDocument("four", "4")])
    broken.write_bytes(content)
    assert [one.title for one in store.read(CHAT)] == ["one", "two", "three", "four"]
    assert store.problems(CHAT) == ()


ORDERS: dict[str, str] = {
    "truncated": '{"format": 1, "docu',
    "nested deeply": '{"format":' * 100_000,
    "a list": "[]",
    "no rows": '{"format": 1}',
    "rows of numbers": '{"format": 1, "documents": [1, 2]}',
    "a path out": '{"format": 1, "documents": [{"file": "../../secret.json", "on": true}]}',
    "on is a number": '{"format": 1, "documents": [{"file": "document-%s.json", "on": 1}]}' % ("0" * 32),
    "no format": '{"documents": []}',
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_damaged_list_loses_no_document(order, store, shelf):
    for number in range(3):  # in which order they were stored
        os.utime(file_of(shelf, number), ns=(0, 1000 * (3 - number)))
    (shelf / "order.json").write_text(ORDERS[order])
    assert store.read(CHAT) == (AFTER, BROKEN, BEFORE)
    (problem,) = store.problems(CHAT)
    assert problem.startswith("The list of stored documents, order.json, ")
    assert problem.endswith(
        ". Every document found beside it is shown, in the order in which they were stored, and switched on."
    )
    assert [one.documents for one in store.shelves("")] == [3]
    store.change(CHAT, lambda found: found)
    assert store.problems(CHAT) == ()
    assert store.read(CHAT) == (AFTER, BROKEN, BEFORE)
    assert (shelf / "order.json.damaged").read_text() == ORDERS[order]
    store.delete([CHAT])
    assert not shelf.exists()


def test_of_a_document_that_was_being_changed_the_newest_is_found(store, shelf):
    older = file_of(shelf, 1).read_bytes()
    store.change(CHAT, lambda found: [found[0], replace(found[1], text="Newer."), found[2]])
    stale = shelf / f"document-{'0' * 32}.json"
    stale.write_bytes(older)
    os.utime(stale, ns=(0, 0))
    (shelf / "order.json").write_text("")
    assert sorted(one.text for one in store.read(CHAT)) == ["Newer.", "The text of one.", "The text of three."]
    store.change(CHAT, lambda found: found)
    assert not stale.exists()


def test_a_newer_version_is_not_touched(store, shelf):
    (shelf / "order.json").write_text('{"format": 2}')
    before = sorted(path.name for path in shelf.iterdir())
    sentence = (
        "The stored documents cannot be read: a newer version of this extension wrote them. Update the extension."
    )
    for use in (store.read, store.problems, lambda name: store.change(name, lambda found: [])):
        with pytest.raises(DocumentStoreError) as found:
            use(CHAT)
        assert str(found.value) == sentence
    assert sorted(path.name for path in shelf.iterdir()) == before


def test_rubbish_of_ours_is_removed_and_files_of_others_stay(store, shelf):
    ours = [f"document-{'a' * 32}.json", f"document-{'b' * 32}.json.0123abcd.new", "order.json.89abcdef.new"]
    others = ["notes.txt", "document-1.json", "order.json.new", f"document-{'A' * 32}.json", ".DS_Store", "lock"]
    for name in (*ours, *others):
        (shelf / name).write_text("?")
    store.change(CHAT, lambda found: found[1:])
    names = {path.name for path in shelf.iterdir()}
    assert not names & set(ours)
    assert names > set(others)
    store.delete([CHAT])
    assert {path.name for path in shelf.iterdir()} == set(others)
    assert store.read(CHAT) == ()
    assert store.shelves("") == ()


@posix
def test_a_link_in_place_of_a_shelf_is_not_followed(store, shelf, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shelf.rename(elsewhere)
    shelf.symlink_to(elsewhere)
    for use in (store.read, lambda name: store.change(name, lambda found: [])):
        with pytest.raises(DocumentStoreError) as found:
            use(CHAT)
        assert str(found.value) == "The stored documents cannot be read: where they should be is no folder."
    assert store.shelves("") == store.folders() == ()
    store.delete([CHAT])
    assert len(list(elsewhere.iterdir())) == 5


@pytest.mark.parametrize("content", ["", "[]", '{"scope": "chat"}', '{"scope": "all", "person": ""}', None])
def test_a_shelf_that_does_not_say_whose_it_is_is_still_its_owners(content, store, shelf):
    (shelf / "shelf.json").unlink() if content is None else (shelf / "shelf.json").write_text(content)
    assert store.every_shelf() == ()
    assert store.folders() == (shelf.name,)
    assert store.read(CHAT) == (BEFORE, BROKEN, AFTER)
    store.change(CHAT, lambda found: found[:1])
    assert [one.shelf for one in store.shelves("")] == [CHAT]


def test_a_shelf_that_says_it_is_somebody_elses_is_shown_to_nobody(store, shelf):
    """A folder is of the person that its name is made from, whatever is written in it."""
    path = shelf / "shelf.json"
    path.write_text(path.read_text().replace('"person": ""', '"person": "eve"'))
    assert store.shelves("eve") == store.shelves("") == ()


def test_other_folders_are_no_shelves(store, shelf, folder):
    for name in ("notes", folder_of(EVERYWHERE).upper(), folder_of(EVERYWHERE) + "0"):
        (folder / name).mkdir()
    (folder / folder_of(EVERYWHERE)).write_text("a file")
    assert store.folders() == (shelf.name,)


def test_a_document_too_large_for_the_store_is_said_and_changes_nothing(store, shelf, monkeypatch):
    monkeypatch.setattr(shelf_writer, "DOCUMENT_BYTES", 2 << 20)
    before = sorted(path.name for path in shelf.iterdir())
    with pytest.raises(DocumentStoreError) as found:
        store.change(CHAT, lambda found: [*found, ChatDocument("large", "x" * (3 << 20))])
    assert str(found.value) == (
        "Document 4 was not stored: it takes 4 MiB, and 2 MiB is the most. Nothing was changed; add it in parts."
    )
    assert store.read(CHAT) == (BEFORE, BROKEN, AFTER)
    assert sorted(path.name for path in shelf.iterdir()) == before


def test_a_list_too_long_for_the_store_is_said_and_changes_nothing(store, shelf, monkeypatch):
    monkeypatch.setattr(shelf_writer, "ORDER_BYTES", 500)
    with pytest.raises(DocumentStoreError) as found:
        store.change(CHAT, lambda found: [*found, *(ChatDocument("t", str(number)) for number in range(5))])
    assert str(found.value) == "The change was not stored: 8 documents are too many for one place."
    assert store.read(CHAT) == (BEFORE, BROKEN, AFTER)


def test_no_word_of_a_document_is_in_an_error_or_a_log(store, shelf, monkeypatch, caplog):
    secret = ChatDocument("Title Secret", "Text Secret", (("Key Secret", "Value Secret"),))

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(self), None, str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DocumentStoreError) as found:
        store.change(CHAT, lambda documents: [*documents, secret])
    assert "ecret" not in str(found.value)
    assert str(shelf.parent) not in str(found.value)
    assert found.value.__suppress_context__
    assert caplog.text == ""


def test_a_file_where_the_folder_would_be_holds_no_documents(tmp_path):
    (tmp_path / "home").touch()
    store = FileDocumentStore(tmp_path / "home" / "documents")
    assert (store.read(CHAT), store.folders()) == ((), ())
    with pytest.raises(DocumentStoreError, match=r"^The stored documents cannot be changed: .+"):
        store.change(CHAT, lambda _: [BEFORE])
