"""A chat that the webui renames, branches or deletes takes its documents along, and only then."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHARACTER, CHAT, Place
from extensions.airoboros_longctx.core.documents.shelves import DocumentShelves
from extensions.airoboros_longctx.documents.store import FileDocumentStore
from extensions.airoboros_longctx.host.webui.chat.chats import WebuiChats
from extensions.airoboros_longctx.host.webui.chat.place import place_of

HARBOR, TOWER = ChatDocument("Harbor", "The harbor is teal."), ChatDocument("Tower", "The tower is red.", on=False)
ALONE = SimpleNamespace(multi_user=False)


class Webui:
    """The webui's chats as files, and our documents beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logs"
        self.folder.mkdir()
        self.shelves = DocumentShelves(FileDocumentStore(folder / "store"))
        self.chats = WebuiChats(self.shelves, lambda: "/webui")

    def path(self, unique_id: str, character: str, mode: str) -> Path:
        return self.folder / f"{mode}-{character}-{unique_id}.json"

    def place(self, unique_id: str, person: str = "", mode: str = "chat") -> Place:
        state = {"unique_id": unique_id, "character_menu": "Ada", "mode": mode}
        arguments = SimpleNamespace(gradio_auth="x") if person else ALONE
        return place_of(state, ChatSession(person=person or None), arguments, "/webui")

    def chat(self, unique_id: str, *documents: ChatDocument, person: str = "", mode: str = "chat") -> None:
        self.path(unique_id, "Ada", mode).touch()
        self.shelves.change(
            ChatSession(), self.place(unique_id, person, mode), CHAT, lambda there: (*there, *documents)
        )

    def documents(self, unique_id: str, person: str = "", mode: str = "chat") -> list[ChatDocument]:
        found = self.shelves.shelved(ChatSession(), self.place(unique_id, person, mode))
        return [one.document for one in found if one.scope == CHAT]

    def rename(self, old_id: str, new_id: str, character: str, mode: str) -> str:
        """As the webui does: never over another chat."""
        if not self.path(new_id, character, mode).exists():
            self.path(old_id, character, mode).rename(self.path(new_id, character, mode))
        return "the webui's own answer"


@pytest.fixture
def webui(tmp_path, monkeypatch):
    webui = Webui(tmp_path)
    chat = ModuleType("modules.chat")
    chat.get_history_file_path = webui.path  # type: ignore[attr-defined]
    package = ModuleType("modules")
    package.chat = chat  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", package)
    monkeypatch.setitem(sys.modules, "modules.chat", chat)
    return webui


def test_a_renamed_chat_keeps_its_documents_in_order(webui):
    webui.chat("one", HARBOR, TOWER)
    webui.chat("two", TOWER)
    assert webui.chats.rename_history(webui.rename, "one", "three", "Ada", "chat") == "the webui's own answer"
    assert webui.documents("three") == [HARBOR, TOWER]
    assert webui.documents("one") == []
    assert webui.documents("two") == [TOWER]


def test_a_rename_that_the_webui_refuses_moves_nothing(webui):
    webui.chat("one", HARBOR)
    webui.chat("two", TOWER)
    webui.chats.rename_history(webui.rename, "one", "two", "Ada", "chat")
    assert (webui.documents("one"), webui.documents("two")) == ([HARBOR], [TOWER])
    webui.chats.rename_history(lambda *_: None, "one", "four", "Ada", "chat")
    assert (webui.documents("one"), webui.documents("four")) == ([HARBOR], [])


def test_everybodys_documents_of_the_chat_go_along_and_stay_their_own(webui):
    webui.chat("one", HARBOR, person="ada")
    webui.chat("one", TOWER, person="bob")
    webui.chats.rename_history(webui.rename, "one", "two", "Ada", "chat")
    assert (webui.documents("two", "ada"), webui.documents("two", "bob")) == ([HARBOR], [TOWER])
    assert webui.documents("two") == []


def test_a_deleted_chat_takes_its_documents_with_it_and_no_others(webui):
    webui.chat("one", HARBOR)
    webui.chat("one", TOWER, mode="instruct")
    everywhere = webui.place("one")
    webui.shelves.change(ChatSession(), everywhere, CHARACTER, lambda _: (TOWER,))
    webui.chats.delete_history(lambda *given: webui.path(*given).unlink(), "one", "Ada", "chat")
    assert webui.documents("one") == []
    assert webui.documents("one", mode="instruct") == [TOWER]
    assert [one.scope for one in webui.shelves.shelved(ChatSession(), everywhere)] == [CHARACTER]


def test_a_chat_that_is_still_there_keeps_its_documents(webui):
    webui.chat("one", HARBOR)
    webui.chats.delete_history(lambda *_: None, "one", "Ada", "chat")
    assert webui.documents("one") == [HARBOR]


@pytest.mark.parametrize("answer", [{"value": "two", "__type__": "update"}, "two"])
def test_a_branch_begins_with_the_documents_of_its_chat(webui, answer):
    webui.chat("one", HARBOR, TOWER)
    state = {"unique_id": "one", "character_menu": "Ada", "mode": "chat"}
    given = ["history", "html", answer, -1]
    assert webui.chats.handle_branch_chat_click(lambda _: given, state) is given
    assert webui.documents("two") == webui.documents("one") == [HARBOR, TOWER]
    assert {one.id for one in webui.documents("two")}.isdisjoint(one.id for one in webui.documents("one"))


def test_a_damaged_document_is_not_lost_with_the_old_name_of_its_chat(webui):
    webui.chat("one", HARBOR, TOWER)
    shelf = webui.place("one").shelf(CHAT)
    damaged = next((webui.folder.parent / "store").glob("*/document-*.json"))
    title = json.loads(damaged.read_text())["title"]
    os.truncate(damaged, 40)
    webui.chats.rename_history(webui.rename, "one", "two", "Ada", "chat")
    assert webui.documents("two") == [one for one in (HARBOR, TOWER) if one.title != title]
    assert webui.documents("one") == []
    assert damaged.stat().st_size == 40
    (problem,) = webui.shelves.problems(webui.place("one"))
    assert problem.startswith(f"The stored document {title!r} cannot be used: ")
    assert [one.shelf for one in webui.shelves.stored_shelves(webui.place("one")) if one.shelf == shelf] == [shelf]


def test_a_document_in_an_open_editor_keeps_its_id_when_its_chat_is_renamed(webui):
    webui.chat("one", HARBOR)
    webui.chats.rename_history(webui.rename, "one", "two", "Ada", "chat")
    assert [one.id for one in webui.documents("two")] == [HARBOR.id]
