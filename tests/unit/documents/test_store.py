"""Documents on a disk: what is put there comes back, in order, to whom it belongs, and only what changed is written."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import Place, Shelf
from extensions.airoboros_longctx.core.documents.shelves import DocumentShelves
from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.documents import shelf_reader
from extensions.airoboros_longctx.documents.document_cache import DocumentCache
from extensions.airoboros_longctx.documents.shelf_folder import folder_of
from extensions.airoboros_longctx.documents.store import FileDocumentStore

from .conftest import CHAT, EVERYWHERE

BERRIES = ChatDocument("Berries", "Blueberries are now green.", (("url", "https://web.site/123"), ("date", "2021")))
STORY = ChatDocument("A story", "Once.\r\n\tTwice.\n", on=False)

#: Any text, half surrogate pairs included.
ANY_TEXT = st.text(st.characters() | st.sampled_from("\ud83d\ude00\udc80"), max_size=12)
DOCUMENTS = st.lists(
    st.builds(
        ChatDocument, ANY_TEXT, ANY_TEXT, st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=2).map(tuple),
        st.booleans(), ANY_TEXT,
    ),
    max_size=4,
)  # fmt: skip


def put(store: FileDocumentStore, shelf: Shelf, *documents: ChatDocument) -> tuple[ChatDocument, ...]:
    return store.change(shelf, lambda before: documents)


def files_of(folder: Path) -> dict[str, int]:
    """By path below ``folder``, when each file was written; without the lock."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.stat().st_mtime_ns for name, path in found.items() if name != "lock"}


def whole(text: str) -> str:
    """``text`` with the halves of a pair that meet as the character that they are."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def as_stored(document: ChatDocument) -> tuple[object, ...]:
    metadata = tuple((whole(key), whole(value)) for key, value in document.metadata)
    return whole(document.id), whole(document.title), whole(document.text), metadata, document.on


# -- what is put there comes back --------------------------------------------------------------------------------------


def test_a_store_that_was_never_used_is_empty_and_makes_no_folder(store, folder):
    assert store.read(CHAT) == ()
    assert store.problems(CHAT) == store.shelves("") == store.folders() == ()
    store.delete([CHAT])
    assert not folder.exists()


def test_documents_survive_a_restart(store, folder):
    assert put(store, CHAT, BERRIES, STORY) == (BERRIES, STORY)
    found = FileDocumentStore(folder).read(CHAT)
    assert found == (BERRIES, STORY)
    assert [document.id for document in found] == [BERRIES.id, STORY.id]
    assert [document.on for document in found] == [True, False]


@settings(max_examples=60, deadline=None)
@given(st.lists(DOCUMENTS, min_size=1, max_size=3))
def test_whatever_is_put_there_is_read(states):
    with tempfile.TemporaryDirectory() as folder:
        store = FileDocumentStore(Path(folder))
        for documents in states:
            put(store, CHAT, *documents)
            for reader in (store, FileDocumentStore(Path(folder))):
                assert [as_stored(one) for one in reader.read(CHAT)] == [as_stored(one) for one in documents]
                assert reader.problems(CHAT) == ()


def test_half_a_surrogate_pair_is_kept_and_the_file_is_utf8(store, folder):
    put(store, CHAT, ChatDocument("t", "a\udc80b\ud83d", id="1"))
    assert store.read(CHAT)[0].text == "a\udc80b\ud83d"
    (path,) = folder.rglob("document-*.json")
    assert json.loads(path.read_text("utf-8"))["text"] == "a\udc80b\ud83d"


def test_the_files_can_be_read_by_people(store, folder):
    put(store, CHAT, replace(BERRIES, id="17", text="Grün."), STORY)
    shelf = folder / folder_of(CHAT)
    assert json.loads((shelf / "shelf.json").read_text("utf-8")) == {
        "format": 1, "scope": "chat", "person": "", "installation": "/webui", "character": "Ada",
        "chat": "chat/Ada/20231105",
    }  # fmt: skip
    rows = json.loads((shelf / "order.json").read_text("utf-8"))["documents"]
    assert [(row["title"], row["on"]) for row in rows] == [("Berries", True), ("A story", False)]
    text = (shelf / rows[0]["file"]).read_text("utf-8")
    assert "Grün." in text
    assert json.loads(text) == {
        "format": 1, "id": "17", "title": "Berries", "text": "Grün.",
        "metadata": [["url", "https://web.site/123"], ["date", "2021"]],
    }  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a user's folder from others in its own way")
def test_only_the_owner_can_read_them(store, folder):
    put(store, CHAT, BERRIES)
    modes = {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}
    assert {modes.pop(folder.name), modes.pop(folder_of(CHAT))} == {0o700}
    assert set(modes.values()) == {0o600}


# -- only what changed is written --------------------------------------------------------------------------------------


def test_a_switch_writes_no_text_again(store, folder):
    documents = [ChatDocument(str(number), f"text {number}") for number in range(100)]
    put(store, CHAT, *documents)
    before = files_of(folder)
    put(store, CHAT, *documents[:40], replace(documents[40], on=False), *documents[41:])
    after = files_of(folder)
    assert {name for name in after if after[name] != before.get(name)} == {f"{folder_of(CHAT)}/order.json"}
    assert [document.on for document in store.read(CHAT)].index(False) == 40


def test_a_change_that_changes_nothing_writes_nothing(store, folder):
    put(store, CHAT, BERRIES, STORY)
    before = files_of(folder)
    store.change(CHAT, lambda documents: documents)
    assert files_of(folder) == before


def test_another_title_replaces_one_file(store, folder):
    put(store, CHAT, BERRIES, STORY)
    before = files_of(folder)
    put(store, CHAT, replace(BERRIES, title="Green berries"), STORY)
    after = files_of(folder)
    assert len(after) == len(before) == 4
    assert len(set(after) - set(before)) == 1
    assert [document.title for document in store.read(CHAT)] == ["Green berries", "A story"]
    assert store.read(CHAT)[0].id == BERRIES.id


def test_the_last_document_takes_the_shelf_with_it(store, folder):
    put(store, CHAT, BERRIES)
    assert put(store, CHAT) == ()
    assert [path.name for path in folder.rglob("*")] == ["lock"]


def test_a_prompt_over_a_hundred_documents_reads_each_once(store, monkeypatch):
    put(store, CHAT, *(ChatDocument(str(number), f"text {number}") for number in range(100)))
    read: list[str] = []
    original = shelf_reader.read_plain_file
    monkeypatch.setattr(
        shelf_reader, "read_plain_file", lambda path, limit: read.append(path.name) or original(path, limit)
    )
    first = store.read(CHAT)
    assert store.read(CHAT) == first
    assert len(first) == 100
    assert read[0] == read[101] == "order.json"
    assert len(set(read)) == 101
    assert len(read) == 102


def test_a_file_edited_by_its_owner_is_read_again(store, folder):
    put(store, CHAT, BERRIES)
    assert store.read(CHAT) == (BERRIES,)
    (path,) = folder.rglob("document-*.json")
    path.write_text(path.read_text("utf-8").replace("green", "yellow"), "utf-8")
    assert store.read(CHAT)[0].text == "Blueberries are now yellow."
    before = files_of(folder)
    store.change(CHAT, lambda documents: [replace(documents[0], on=False)])
    assert set(files_of(folder)) == set(before)
    assert store.read(CHAT)[0].text == "Blueberries are now yellow."


def test_the_cache_has_an_end():
    cache = DocumentCache(3000)
    for number in range(10):
        cache.put((str(number), 0, 0), ChatDocument("", "x" * 800))
    assert [number for number in range(10) if cache.get((str(number), 0, 0))] == [7, 8, 9]
    cache.get(("7", 0, 0))
    cache.put(("10", 0, 0), ChatDocument("", "x" * 800))
    assert [number for number in range(11) if cache.get((str(number), 0, 0))] == [7, 9, 10]


# -- whose they are ----------------------------------------------------------------------------------------------------


def test_shelves_do_not_meet(store):
    shelves = [
        EVERYWHERE,
        replace(EVERYWHERE, person="ada"),
        Shelf("character", True, "ada", "/webui", "Ada"),
        Shelf("chat", True, "ada", "/webui", "Ada", "1"),
        Shelf("chat", True, "ada", "/webui", "Ada1", ""),
        Shelf("chat", True, "ada/webui", "", "Ada", "1"),
        Shelf("chat", True, 'ada", "/webui', "", "Ada", "1"),
        Shelf("chat", True, "ada\0/webui", "Ada", "1", ""),
        Shelf("chat", True, "", "ada", "/webui", "Ada"),
    ]
    for number, shelf in enumerate(shelves):
        put(store, shelf, ChatDocument(str(number), "text"))
    assert [store.read(shelf)[0].title for shelf in shelves] == [str(number) for number in range(len(shelves))]
    assert {one.shelf for one in store.every_shelf()} == set(shelves)
    assert {one.shelf for one in store.shelves("ada")} == set(shelves[1:5])


@pytest.mark.parametrize("separator", ["/", "\0", "\n", ",", '", "', "|", ":", " ", "\x1f", "\\", '"', "", "None"])
def test_no_name_reaches_into_the_next_field(separator):
    one = Shelf("chat", True, f"ada{separator}x", "y", "", "1")
    assert folder_of(one) != folder_of(Shelf("chat", True, "ada", f"x{separator}y", "", "1"))
    assert folder_of(one) != folder_of(Shelf("chat", True, "ada", "x", f"y{separator}", "1"))


@given(st.lists(ANY_TEXT, min_size=4, max_size=4), st.lists(ANY_TEXT, min_size=4, max_size=4))
def test_two_shelves_never_share_a_folder(one, other):
    assert (folder_of(Shelf("chat", True, *one)) == folder_of(Shelf("chat", True, *other))) == (one == other)


def test_halves_of_a_pair_are_not_the_character():
    assert folder_of(Shelf("chat", True, "\ud83d\ude00")) != folder_of(Shelf("chat", True, "\U0001f600"))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\0b", "x" * 100_000, "日本語 ✨", "CON", " ", ".", "C:\\Users", "\udc80", "a\nb"]
)
def test_names_never_become_paths(store, folder, name):
    shelf = Shelf("chat", True, name, name, name, name)
    put(store, shelf, BERRIES)
    assert store.read(shelf) == (BERRIES,)
    assert [one.shelf for one in store.shelves(name)] == [shelf]
    assert {path.name for path in folder.iterdir()} == {"lock", folder_of(shelf)}
    assert {path.name for path in folder.parent.parent.iterdir()} == {"home"}
    with zipfile.ZipFile(io.BytesIO(store.export(name))) as archive:
        assert all(entry.startswith("001 chat") and ".." not in entry for entry in archive.namelist())
    store.delete([shelf])
    assert store.shelves(name) == ()


def test_a_shelf_of_a_page_alone_is_never_stored(store, folder):
    with pytest.raises(ValueError, match="this shelf lives in its page alone"):
        put(store, replace(CHAT, stored=False), BERRIES)
    assert not folder.exists()


# -- several at once ---------------------------------------------------------------------------------------------------


def test_no_change_of_a_thread_is_lost(folder):
    stores = [FileDocumentStore(folder), FileDocumentStore(folder)]

    def add(name: str) -> None:
        for number in range(5):
            document = ChatDocument(f"{name} {number}", "text")
            stores[number % 2].change(CHAT, lambda documents, new=document: (*documents, new))

    threads = [threading.Thread(target=add, args=(str(name),)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    titles = {document.title for document in stores[0].read(CHAT)}
    assert titles == {f"{name} {number}" for name in range(4) for number in range(5)}


def test_a_reader_meets_whole_states_only(store, folder):
    """Readers take no lock: whatever they read is what one change left."""
    reader, done = FileDocumentStore(folder), threading.Event()
    seen: list[list[str]] = []

    def read() -> None:
        while not done.is_set():
            seen.append([document.text for document in reader.read(CHAT)])

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(60):
        put(store, CHAT, *(ChatDocument(title, f"text {number}", id=title) for title in "abc"))
    done.set()
    thread.join()
    assert seen
    assert [texts for texts in seen if texts and (len(texts) != 3 or len(set(texts)) != 1)] == []


# -- what a page asks --------------------------------------------------------------------------------------------------


def test_a_page_finds_exports_and_forgets_its_own_alone(store):
    shelves, session = DocumentShelves(store), ChatSession()
    ada = Place("ada", "/webui", "Vicuna", "chat/Vicuna/1")
    bob = replace(ada, person="bob")
    for place, text in ((ada, "Ada's"), (bob, "Bob's")):
        for scope in place.scopes:
            shelves.change(session, place, scope, lambda documents, text=text: [ChatDocument("T: 1/2", text)])
    assert [one.shelf.scope for one in shelves.stored_shelves(ada)] == ["everywhere", "character", "chat"]
    assert {one.documents for one in shelves.stored_shelves(ada)} == {1}
    with zipfile.ZipFile(io.BytesIO(shelves.export(ada))) as archive:
        assert archive.namelist() == [
            "001 everywhere/shelf.json", "001 everywhere/001 T 1 2.txt", "001 everywhere/001 T 1 2.json",
            "002 character Vicuna/shelf.json", "002 character Vicuna/001 T 1 2.txt",
            "002 character Vicuna/001 T 1 2.json",
            "003 chat Vicuna 1/shelf.json", "003 chat Vicuna 1/001 T 1 2.txt", "003 chat Vicuna 1/001 T 1 2.json",
        ]  # fmt: skip
        assert {archive.read(name) for name in archive.namelist() if name.endswith(".txt")} == {b"Ada's"}
        described = json.loads(archive.read("001 everywhere/001 T 1 2.json"))
    assert described == {"title": "T: 1/2", "metadata": [], "on": True}
    shelves.forget(ada)
    assert shelves.stored_shelves(ada) == shelves.active(session, ada) == ()
    assert [document.text for document in shelves.active(session, bob)] == ["Bob's"] * 3


@pytest.mark.parametrize("place", [Place(None), Place("nobody")])
def test_a_page_without_stored_documents_is_told_so(store, place):
    shelves = DocumentShelves(store)
    put(store, EVERYWHERE, BERRIES)
    assert shelves.stored_shelves(place) == shelves.problems(place) == ()
    shelves.forget(place)
    nothing = r"^No documents of yours are stored; there is nothing to export\.$"
    with pytest.raises(AiroborosLongctxError, match=nothing):
        shelves.export(place)
    assert store.read(EVERYWHERE) == (BERRIES,)


def test_the_damage_in_a_place_is_said_there(store, folder):
    place = Place("", "/webui", "Ada", "chat/Ada/20231105")
    put(store, place.shelf("chat"), BERRIES)
    (path,) = folder.rglob("document-*.json")
    path.unlink()
    assert DocumentShelves(store).problems(place) == (
        f"The stored document 'Berries' cannot be used: its file {path.name} is missing. It is left where it is; the "
        "other documents are not affected.",
    )
    assert DocumentShelves(store).problems(replace(place, chat="chat/Ada/2")) == ()


def test_a_shelf_that_is_being_changed_is_listed_all_the_same(store, monkeypatch):
    store.change(CHAT, lambda _: (ChatDocument("Harbor", "The harbor is teal."),))
    there = Path.iterdir

    def with_one_gone(folder):
        yield from there(folder)
        if folder.name == folder_of(CHAT):
            yield folder / "order.json.00000000.new"

    monkeypatch.setattr(Path, "iterdir", with_one_gone)
    assert [one.shelf for one in store.shelves("")] == [CHAT]
