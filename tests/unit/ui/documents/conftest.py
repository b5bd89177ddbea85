"""A page with two fields, the chat and the question, whose tokens are words."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT, Place
from extensions.airoboros_longctx.core.documents.shelves import DocumentShelves
from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.prompt_service import PageRequest, PromptService
from extensions.airoboros_longctx.ui.documents.steps import DocumentSteps
from extensions.airoboros_longctx.ui.documents.view import DocumentView
from tests.unit.ui.turn import Turn

HARBOR = ChatDocument("Harbor", "The harbor is teal.", (("source", "kite"),), id="harbor")
TOWER = ChatDocument("Tower", "The tower is red.", id="tower")


def place_of(chat: str) -> Place:
    """With a character, so that every scope is there; without a store nothing outlives the page."""
    return Place("", "", "Ann", chat)


class Host:
    """What the panels ask of a page. ``broken``: the page cannot say where it is."""

    def __init__(self):
        self.blocked, self.turn, self.broken, self.attached = "", Turn(), False, ()

    def request(self, session, values):
        if self.broken:
            raise RuntimeError("the page is <not> ready")
        chat, question = values
        count, estimated = Turn().count_tokens, self.turn is None
        return PageRequest(place_of(chat), question, self.turn, 64, count, estimated, "words", self.attached)

    def prompt(self, session, values):
        raise AiroborosLongctxError("It does not <fit>.")

    def documents_blocked(self):
        return self.blocked

    def plainformat_separator(self):
        return "\n"


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def shelves():
    return DocumentShelves()


@pytest.fixture
def steps(host, shelves):
    return DocumentSteps(host, shelves, DocumentOptions())


@pytest.fixture
def view(host, shelves, steps):
    return DocumentView(host, PromptService(), shelves, steps)


@pytest.fixture
def session():
    """Two documents in the chat "one"."""
    return ChatSession().with_documents(place_of("one").shelf(CHAT), [HARBOR, TOWER])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Gradio's upload folder."""
    found = tmp_path / "gradio"
    found.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(found))
    return found
