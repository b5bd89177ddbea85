"""A page whose model says what a test tells it, with tokens that are words."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatSession
from extensions.airoboros_longctx.core.documents.place import Place
from extensions.airoboros_longctx.core.documents.shelves import DocumentShelves
from extensions.airoboros_longctx.core.settings import Settings
from extensions.airoboros_longctx.format_service import FormList
from extensions.airoboros_longctx.prompt_service import PageRequest
from extensions.airoboros_longctx.ui.formats import shown_state
from extensions.airoboros_longctx.ui.formats.asking import FormatAsking
from extensions.airoboros_longctx.ui.formats.filled_form import FilledForms
from extensions.airoboros_longctx.ui.formats.page_tools import PageTools
from extensions.airoboros_longctx.ui.formats.running_plans import RunningPlans
from extensions.airoboros_longctx.ui.formats.slots import MOST_SLOTS
from extensions.airoboros_longctx.ui.formats.summarising import Summarising
from tests.unit.ui.turn import Turn

PLACE = Place("", "", "", "one")


class Host:
    """``replies`` are what the model says in turn, each as it grows; ``prompts`` what it was asked, with the tokens."""

    def __init__(self):
        self.turn, self.attached, self.last = Turn(), (), ""
        self.replies, self.prompts = [], []

    def request(self, session, values):
        return PageRequest(PLACE, "", self.turn, 40, Turn().count_tokens, False, "words", self.attached)

    def reply(self, prompt, reply_tokens, stopping):
        self.prompts.append((prompt, reply_tokens))
        for so_far in self.replies.pop(0):
            yield so_far
            if stopping.is_set():
                return

    def last_reply(self, values):
        return self.last

    def typing_field(self):
        return None


class Panel:
    """The panel's handlers without its components."""

    def __init__(self, folder):
        self.host, self.shelves, self.session = Host(), DocumentShelves(), ChatSession()
        self.forms, settings = FormList(folder), Settings()
        filled = FilledForms(self.host, self.shelves, settings, self.forms)

        def tools(session, page):
            return PageTools(self.host, self.shelves, settings, filled.session(session), page)

        self.summarising = Summarising(self.host, filled)
        self.asking = FormatAsking(self.host, filled, tools, self.summarising)
        self.plans = RunningPlans(settings, tools)

    def fields(self, title, *texts):
        """What the page hands over: the form, its slots (a choice's text goes into both), the session."""
        slots = [text for text in texts for _ in range(2)]
        return [title, *slots, *[""] * (2 * MOST_SLOTS - len(slots)), self.session]


class Shown:
    """One of the lists that the handlers yield, by name."""

    def __init__(self, outputs):
        self.stopping, self.running, *buttons, self.words, self.result = outputs
        names = ("stop", "actions", "later", "run", "retry", "go_on")
        self.visible = [name for name, update in zip(names, buttons, strict=True) if update["visible"]]


@pytest.fixture
def panel(tmp_path, monkeypatch):
    pytest.importorskip("gradio")
    monkeypatch.setattr(shown_state, "DRAWN_EVERY_SECONDS", 0.0)
    return Panel(tmp_path / "recipes")
