"""``python -m extensions.airoboros_longctx documents``: what is stored, for whoever owns the folder."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from extensions.airoboros_longctx.command_line import main
from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument
from extensions.airoboros_longctx.core.documents.place import Shelf
from extensions.airoboros_longctx.documents.shelf_folder import folder_of
from extensions.airoboros_longctx.documents.store import FileDocumentStore
from tests.unit.core.test_command_line import _run

from .conftest import CHAT, EVERYWHERE

ADAS = Shelf("character", True, "ada\x1b[31m", "/webui", "Vicuna\nnew line")
PROGRAM = "python -m extensions.airoboros_longctx"


@pytest.fixture
def shelves(store: FileDocumentStore) -> dict[str, str]:
    """Three shelves with four documents; by name, the id of each."""
    store.change(
        EVERYWHERE, lambda _: [ChatDocument("Berries", "Blueberries are green."), ChatDocument("../../x", "b")]
    )
    store.change(CHAT, lambda _: [ChatDocument("Contract", "x" * 5000)])
    store.change(ADAS, lambda _: [ChatDocument("Ada's", "y")])
    return {"everywhere": folder_of(EVERYWHERE), "chat": folder_of(CHAT), "ada": folder_of(ADAS)}


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str], str]:
    status = main(["documents", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out.splitlines(), said.err


def test_it_needs_nothing_but_pyyaml(folder, shelves):
    done = _run("documents", "list", "--folder", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 4


def test_the_list(capsys, folder, shelves):
    status, lines, problems = command(capsys, "list", "--folder", folder)
    assert (status, problems) == (0, "")
    rows = [[cell for cell in line.split("  ") if cell.strip()] for line in lines]
    rows = [[cell.strip() for cell in row] for row in rows]
    assert rows[0] == ["shelf", "documents", "size", "for", "person", "character", "chat", "webui"]
    sizes = [row.pop(2) for row in rows[1:]]
    assert all(size.endswith(" KiB") for size in sizes)
    assert 5.0 < float(sizes[1].split()[0]) < 6.0
    assert rows[1:] == [
        [shelves["everywhere"][:8], "2", "everywhere", "-", "-", "-", "-"],
        [shelves["chat"][:8], "1", "chat", "-", "Ada", "chat/Ada/20231105", "/webui"],
        [shelves["ada"][:8], "1", "character", "ada [31m", "Vicuna new line", "-", "/webui"],
    ]


def test_the_list_names_what_is_damaged(capsys, folder, shelves):
    (broken,) = (folder / shelves["chat"]).glob("document-*.json")
    broken.write_text("{")
    (folder / shelves["ada"] / "shelf.json").unlink()
    status, lines, problems = command(capsys, "list", "--folder", folder)
    assert (status, len(lines)) == (0, 3)
    first, second = problems.splitlines()
    assert first.startswith(f"note: {shelves['chat'][:8]}: The stored document 'Contract' cannot be used: its file ")
    assert second == f"note: {shelves['ada'][:8]}: this shelf does not say whose it is."


def test_nothing_is_stored(capsys, tmp_path):
    assert command(capsys, "list", "--folder", tmp_path / "x") == (
        0, [f"No documents are stored in {tmp_path / 'x'}."], ""
    )  # fmt: skip
    assert command(capsys, "delete", "--all", "--folder", tmp_path / "x") == (
        0, ["No documents are stored; there is nothing to delete."], ""
    )  # fmt: skip
    assert command(capsys, "export", tmp_path / "a.zip", "--folder", tmp_path / "x") == (
        2, [], f"{PROGRAM}: No documents are stored; there is nothing to export.\n"
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_the_default_folder_is_the_one_of_webui_and_workbench(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    store = FileDocumentStore(tmp_path / ".airoboros_longctx" / "documents")
    store.change(EVERYWHERE, lambda _: [ChatDocument("t", "x")])
    assert len(command(capsys, "list")[1]) == 2


def test_an_export_holds_every_document(capsys, folder, shelves, tmp_path):
    path = tmp_path / "all.zip"
    assert command(capsys, "export", path, "--folder", folder) == (0, [f"4 documents exported to {path}."], "")
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name) for name in archive.namelist() if name.endswith(".txt")}
        assert archive.testzip() is None
    assert texts == {
        "001 everywhere/001 Berries.txt": b"Blueberries are green.",
        "001 everywhere/002 x.txt": b"b",
        "002 chat Ada 20231105/001 Contract.txt": b"x" * 5000,
        "003 character Vicuna new line/001 Ada s.txt": b"y",
    }
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_an_export_never_replaces_a_file(capsys, folder, shelves, tmp_path):
    path = tmp_path / "letter.zip"
    path.write_text("mine")
    assert command(capsys, "export", path, "--folder", folder) == (
        2, [], f"{PROGRAM}: {str(path)!r} is there already; name a file that is not.\n"
    )  # fmt: skip
    assert path.read_text() == "mine"
    status, _, said = command(capsys, "export", tmp_path / "no" / "a.zip", "--folder", folder)
    assert (status, said) == (
        2, f"{PROGRAM}: {str(tmp_path / 'no' / 'a.zip')!r} cannot be written: No such file or directory.\n"
    )  # fmt: skip


def test_a_shelf_is_deleted_with_its_files(capsys, folder, shelves, store):
    status, lines, _ = command(capsys, "delete", shelves["chat"][:8], "--yes", "--folder", folder)
    assert (status, lines) == (0, ["1 shelf with 1 document deleted."])
    assert not (folder / shelves["chat"]).exists()
    assert {one.shelf for one in store.every_shelf()} == {EVERYWHERE, ADAS}


def test_everything_is_deleted_also_what_does_not_say_whose_it_is(capsys, folder, shelves):
    (folder / shelves["ada"] / "shelf.json").unlink()
    status, lines, _ = command(capsys, "delete", "--all", "--yes", "--folder", folder)
    assert (status, lines) == (0, ["3 shelves with 4 documents deleted."])
    assert [path.name for path in folder.rglob("*")] == ["lock"]


@pytest.mark.parametrize(
    ("typed", "deleted"), [("delete", True), (" delete ", True), ("yes", False), ("", False), (EOFError, False)]
)
def test_it_asks_first(typed, deleted, capsys, folder, shelves, monkeypatch):
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        if typed is EOFError:
            raise EOFError
        return str(typed)

    monkeypatch.setattr("builtins.input", answer)
    status, lines, said = command(capsys, "delete", "--all", "--folder", folder)
    assert asked == ["3 shelves with 4 documents will be deleted for good. Type 'delete' to go on: "]
    assert FileDocumentStore(folder).folders() == (() if deleted else tuple(sorted(shelves.values())))
    if deleted:
        assert (status, lines) == (0, ["3 shelves with 4 documents deleted."])
    else:
        assert (status, lines, said) == (2, [], f"{PROGRAM}: Nothing was deleted: it was not confirmed.\n")


@pytest.mark.parametrize("named", ["", "abc", "ffffffff", "../../x", "*"])
def test_a_shelf_that_is_none_deletes_nothing(named, capsys, folder, shelves):
    count = sum(one.startswith(named) for one in shelves.values())
    assert command(capsys, "delete", named, "--yes", "--folder", folder) == (
        2,
        [],
        f"{PROGRAM}: Nothing was deleted: {named!r} names {count} shelves; at least 4 characters that begin the id of "
        "one shelf are needed, as in the list.\n",
    )
    assert len(FileDocumentStore(folder).folders()) == 3


@pytest.mark.parametrize("arguments", [[], ["--all", "abcd"]])
def test_what_to_delete_must_be_said(arguments, capsys, folder, shelves):
    assert command(capsys, "delete", "--yes", *arguments, "--folder", folder) == (
        2, [], f"{PROGRAM}: Nothing was deleted: name the shelves, or --all without any.\n"
    )  # fmt: skip
    assert len(FileDocumentStore(folder).folders()) == 3


def test_a_folder_may_be_named_from_here(capsys, folder, shelves, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert len(command(capsys, "list", "--folder", Path("documents"))[1]) == 4
