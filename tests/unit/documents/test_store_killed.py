"""A change that is stopped, or fails, at any step: the old documents or the new ones are there, whole."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument
from extensions.airoboros_longctx.documents import atomic_files, shelf_writer
from extensions.airoboros_longctx.documents.shelf_folder import folder_of
from extensions.airoboros_longctx.documents.store import FileDocumentStore
from extensions.airoboros_longctx.documents.store_errors import DocumentStoreError
from extensions.airoboros_longctx.documents.store_lock import StoreLock

from . import killed_store
from .conftest import CHAT

A, B, C = (ChatDocument(title, f"The text of {title}. " * 40, id=title) for title in "abc")
#: From one list of documents to another.
CHANGES = {
    "the first": ([], [A, B]),
    "a switch": ([A, B, C], [A, replace(B, on=False), C]),
    "another text, another order": ([A, B, C], [C, replace(A, text="Another text.")]),
    "the last": ([A, B], []),
}
ADVICE = (
    f"{os.strerror(errno.ENOSPC)}. What was stored before is still there. Make room on that disk, let this user write "
    "there, or name another folder with documents_folder."
)
SENTENCES = {
    f"The change of the documents was not stored: {ADVICE}",
    f"The stored documents cannot be changed: {ADVICE}",
    f"The stored documents cannot be read: {os.strerror(errno.ENOSPC)}. Let this user read their folder, name another "
    "one with documents_folder, or switch the store off with store_documents: false.",
}
#: Everything that reaches the disk.
STEPS = ((os, "open"), (os, "fsync"), *((Path, name) for name in ("mkdir", "replace", "unlink", "rmdir")))


@contextmanager
def before_each_step(say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        for owner, name in STEPS:
            original = getattr(owner, name)

            def step(*given: Any, original: Any = original, name: str = name, **named: Any) -> Any:
                say(name)
                return original(*given, **named)

            patched.setattr(owner, name, step)
        yield


def put(store: FileDocumentStore, documents: Sequence[ChatDocument]) -> None:
    store.change(CHAT, lambda before: documents)


def files_in(folder: Path) -> int:
    return len(list((folder / folder_of(CHAT)).glob("*")))


@pytest.mark.parametrize("change", CHANGES)
def test_stopped_before_any_step_it_is_the_old_state_or_the_new(change, folder, tmp_path, monkeypatch):
    """The disk as a kill leaves it, before each step; and with every file that is being written only half there."""
    old, new = CHANGES[change]
    store, snapshots = FileDocumentStore(folder), list[Path]()
    put(store, old)

    def snapshot(name: str) -> None:
        for half in (False, True):
            copy = tmp_path / f"snapshot {len(snapshots)}"
            shutil.copytree(folder, copy) if folder.exists() else copy.mkdir()
            for path in copy.rglob("*.new") if half else ():
                os.truncate(path, path.stat().st_size // 2)
            snapshots.append(copy)

    with before_each_step(snapshot, monkeypatch):
        put(store, new)
    states = []
    for copy in snapshots:
        stopped = FileDocumentStore(copy)
        assert stopped.problems(CHAT) == ()
        states.append(stopped.read(CHAT))
        put(stopped, [*stopped.read(CHAT), ChatDocument("d", "new")])
        assert files_in(copy) == 2 + len(stopped.read(CHAT)), "what was left half done is gone"
    before, after = (sum(state == tuple(one) for state in states) for one in (old, new))
    assert states == [tuple(old)] * before + [tuple(new)] * after
    assert before >= 6
    assert after >= 2


def test_what_the_list_names_is_on_the_disk_before_the_list(store, folder, monkeypatch):
    """A power failure keeps what was synchronised, in whatever order the rest was written."""
    put(store, [A])
    done: list[str] = []
    for name in ("write_file", "sync_folder"):
        original = getattr(shelf_writer, name)

        def step(path: Path, *content: bytes, original: Any = original) -> None:
            done.append(path.name.partition("-")[0] if content else "folder")
            original(path, *content)

        monkeypatch.setattr(shelf_writer, name, step)
    put(store, [B, A])
    assert done == ["document", "folder", "order.json", "folder"]


def test_a_file_is_on_the_disk_before_its_name(folder, monkeypatch):
    done: list[str] = []
    for owner, name in ((os, "fsync"), (Path, "replace")):
        original = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, name=name, do=original: (done.append(name), do(*given))[1])
    folder.mkdir(parents=True)
    atomic_files.write_file(folder / "order.json", b"content")
    assert done == ["fsync", "replace"]
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("order.json", b"content")]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_fails_the_old_state_stays_or_the_new_one_is_whole(change, folder, monkeypatch):
    old, new = CHANGES[change]
    said: list[DocumentStoreError] = []
    for step in range(1, 100):
        shutil.rmtree(folder, ignore_errors=True)
        store, left = FileDocumentStore(folder), [step]
        put(store, old)
        assert store.read(CHAT) == tuple(old)  # the texts are known: what cannot be read is another test

        def fail(name: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/home/ada/secret.json")

        expected = new
        with before_each_step(fail, monkeypatch):
            try:
                put(store, new)
            except DocumentStoreError as error:
                said.append(error)
                expected = old
        for reader in (store, FileDocumentStore(folder)):
            assert reader.read(CHAT) == tuple(expected)
            assert reader.problems(CHAT) == ()
        put(store, [A])
        assert files_in(folder) == 3
        if left[0] > 0:
            break
    assert left[0] > 0, "every step had its turn"
    assert len(said) >= 4
    assert f"The change of the documents was not stored: {ADVICE}" in {str(error) for error in said} <= SENTENCES
    assert {error.__cause__ for error in said} == {None}


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "documents").write_text("a file")
    store = FileDocumentStore(tmp_path / "documents")
    with pytest.raises(DocumentStoreError) as found:
        put(store, [A])
    assert str(found.value).startswith("The stored documents cannot be changed: File exists. What was stored before")
    assert str(tmp_path) not in str(found.value)


def test_a_change_that_raises_changes_nothing(store):
    put(store, [A])
    with pytest.raises(ZeroDivisionError):
        store.change(CHAT, lambda before: [B, 1 / 0])
    assert store.read(CHAT) == (A,)
    put(store, [B])
    assert store.read(CHAT) == (B,)


@pytest.mark.skipif(sys.platform == "win32", reason="forks and kills as POSIX does")
def test_killed_at_random_moments(folder):
    done = subprocess.run(
        [sys.executable, killed_store.__file__, str(folder), "60"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0, "some kills came in the midst of a change"


ADD = """
import sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.unit.documents.killed_store import CHAT, ChatDocument, FileDocumentStore
store = FileDocumentStore(Path(sys.argv[2]))
for number in range(20):
    store.change(CHAT, lambda before: [*before, ChatDocument(f"{sys.argv[3]} {number}", "text")])
"""


def test_no_change_of_another_program_is_lost(folder):
    command = [sys.executable, "-c", ADD, str(killed_store.ROOT), str(folder)]
    programs = [subprocess.Popen([*command, name], stderr=subprocess.PIPE) for name in "abc"]
    assert [program.communicate(timeout=60)[1] for program in programs] == [b""] * 3
    titles = {document.title for document in FileDocumentStore(folder).read(killed_store.CHAT)}
    assert titles == {f"{name} {number}" for name in "abc" for number in range(20)}


def test_a_lock_that_is_never_let_go_is_said(folder):
    folder.mkdir(parents=True)
    with (
        StoreLock(folder / "lock").held(),
        pytest.raises(DocumentStoreError) as found,
        StoreLock(folder / "lock", patience_seconds=0.05).held(),
    ):
        pass
    assert str(found.value) == (
        "The stored documents were not changed: another program has been changing them for 0.05 seconds. Try again."
    )
    with StoreLock(folder / "lock", patience_seconds=0.05).held():
        pass
