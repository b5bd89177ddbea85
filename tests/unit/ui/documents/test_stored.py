"""What is stored is shown, exported and deleted for the person of the page alone."""

from __future__ import annotations

import base64
import io
import re
import zipfile

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT, EVERYWHERE, Place
from extensions.airoboros_longctx.core.documents.shelves import DocumentShelves
from extensions.airoboros_longctx.documents.store import FileDocumentStore
from extensions.airoboros_longctx.ui.documents import stored as stored_module
from extensions.airoboros_longctx.ui.documents.stored import StoredDocuments

gradio = pytest.importorskip("gradio")
PAGE = ("the fields", "of the page")
ANN, BOB = (Place(person, "here", "", f"chat of {person}") for person in ("ann", "bob"))


class Host:
    def __init__(self):
        self.place = ANN

    def request(self, session, values):
        assert values == PAGE
        return self


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def shelves(tmp_path):
    return DocumentShelves(FileDocumentStore(tmp_path / "documents"))


@pytest.fixture
def stored(host, shelves):
    for place, title in ((ANN, "<b>Harbor"), (BOB, "Tower")):
        shelves.change(ChatSession(), place, CHAT, lambda before, title=title: (ChatDocument(title, "text"),))
    shelves.change(ChatSession(), ANN, EVERYWHERE, lambda before: (ChatDocument("a", "x"), ChatDocument("b", "y")))
    return StoredDocuments(host, shelves, lambda value: ChatSession())


def test_a_person_sees_their_own_shelves_with_counts(stored):
    table, buttons, question = stored.on_show(None, *PAGE)
    rows = sorted(re.findall(r"<tr><td>(.*?)</td><td>(\d+)</td>", table))
    assert rows == [("Chat chat of ann", "1"), ("Everywhere", "2")]
    assert (buttons, question) == (gradio.update(visible=True), gradio.update(visible=False))


def test_the_export_is_in_the_link_itself(stored):
    data = re.search(r'href="data:application/zip;base64,([^"]+)"', stored.on_export(None, *PAGE)).group(1)
    content = zipfile.ZipFile(io.BytesIO(base64.b64decode(data)))
    said = b"".join(content.read(name) for name in content.namelist())
    assert b"Harbor" in said
    assert b"Tower" not in said


def test_an_export_that_no_page_can_take_is_refused_with_the_way(stored, monkeypatch):
    monkeypatch.setattr(stored_module, "MOST_EXPORT_BYTES", 10)
    assert "more than a page can hand over; use the command line" in stored.on_export(None, *PAGE)


def test_delete_forgets_this_person_alone(stored, host, shelves):
    table, buttons, _ = stored.on_delete(None, *PAGE)
    assert "No documents of yours are stored." in table
    assert buttons == gradio.update(visible=False)
    assert shelves.stored_shelves(ANN) == ()
    host.place = BOB
    assert "<td>Chat chat of bob</td><td>1</td>" in stored.on_show(None, *PAGE)[0]


def test_what_could_not_be_deleted_is_still_listed(stored, shelves, monkeypatch):
    def fail(*given):
        raise OSError("the disk is gone")

    monkeypatch.setattr(shelves, "forget", fail)
    said, buttons, question = stored.on_delete(None, *PAGE)
    assert "The documents were not deleted: OSError: the disk is gone" in said
    assert (buttons, question) == (gradio.update(visible=True), gradio.update(visible=False))


def test_who_cannot_be_named_has_nothing_stored(stored, host):
    host.place = Place(None)
    assert "Nothing is stored: this webui cannot say who you are" in stored.on_show(None, *PAGE)[0]
    assert "there is nothing to export" in stored.on_export(None, *PAGE)
