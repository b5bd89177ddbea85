"""The panel's steps without a page: each gives a new session, and nothing that goes wrong loses anything."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT, EVERYWHERE
from extensions.airoboros_longctx.core.prompts.document_options import SHORTEN, DocumentOptions
from extensions.airoboros_longctx.ui.documents.choices import TOO_LONG
from extensions.airoboros_longctx.ui.documents.steps import Editing
from tests.unit.ui.documents.conftest import HARBOR, place_of

gradio = pytest.importorskip("gradio")
#: The outputs of a step, in order.
SESSION, EDITING, SAID, EDITOR, TITLE, METADATA, TEXT, PREVIEW = range(8)


def taken(steps, step, session, form=("", "", ""), add_to="This chat", editing=None, chat="one"):
    return steps.handler(step)(session, editing, add_to, *form, chat, "What?")


def acted(steps, session, do, wanted="", chat="one", editing=None, **more):
    return steps.on_action(session, editing, json.dumps({"do": do, "id": wanted, "number": 1, **more}), chat, "What?")


@pytest.fixture
def shown(shelves):
    """What is there: titles with their scope, and "off" where one is."""

    def found(session, chat="one"):
        return [
            (one.document.title, one.scope, *(() if one.document.on else ("off",)))
            for one in shelves.shelved(session, place_of(chat))
        ]

    return found


def test_add_needs_no_session_yet_and_empties_the_form(steps, shelves, shown):
    done = taken(steps, steps.on_add, None, (" The  quay ", "url: u", "Blue."), "Everywhere")
    assert shown(done[SESSION], "another") == [("The quay", EVERYWHERE)]
    assert done[SESSION].options == DocumentOptions()
    assert "<p>Added: The quay.</p>" in done[SAID]
    assert done[TITLE:PREVIEW] == ["", "", ""]


def test_what_cannot_be_added_is_said_and_the_form_stays(steps, session):
    done = taken(steps, steps.on_add, session, ("", "<img src=x onerror=alert(1)>", "text"))
    assert done[SESSION] is session
    assert "&#x27;&lt;img src=x onerror=alert(1)&gt;&#x27; is no pair" in done[SAID]
    assert 'role="alert"' in done[SAID]
    assert done[EDITOR:] == [gradio.update()] * 5


def test_blocked_documents_are_not_added(steps, host, session):
    host.blocked = "superbooga builds the prompts."
    done = taken(steps, steps.on_add, session, ("", "", "text"))
    assert done[SESSION] is session
    assert "superbooga builds the prompts." in done[SAID]
    done = steps.on_brought(session, None, "This chat", ((HARBOR,), "1 added.", ""), "one", "")
    assert done[SESSION] is session
    assert "superbooga builds the prompts." in done[SAID]


def test_edit_fills_the_form_and_save_keeps_it(steps, session, shown):
    done = acted(steps, session, "edit", "harbor")
    assert done[EDITING] == Editing("harbor")
    assert done[EDITOR] == gradio.update(label="Edit Harbor", open=True)
    assert done[TITLE:PREVIEW] == ["Harbor", "source: kite", "The harbor is teal."]
    saved = taken(steps, steps.on_save, session, ("Quay", "", "Red."), editing=done[EDITING])
    assert shown(saved[SESSION]) == [("Quay", CHAT), ("Tower", CHAT)]
    assert "<p>Saved.</p>" in saved[SAID]
    assert saved[TITLE] == gradio.update()
    closed = taken(steps, steps.on_close, saved[SESSION], editing=done[EDITING])
    assert closed[EDITING] == Editing()
    assert closed[EDITOR:PREVIEW] == [gradio.update(label="Paste a text"), "", "", ""]


def test_nothing_is_saved_while_nothing_is_edited(steps, session):
    done = taken(steps, steps.on_save, session, ("t", "", "text"))
    assert done[SESSION] is session
    assert "No document is being edited; press Edit in its row first." in done[SAID]


def test_the_list_switches_orders_and_moves(steps, session, shown):
    assert shown(acted(steps, session, "switch", "tower", on=False)[SESSION])[1] == ("Tower", CHAT, "off")
    assert shown(acted(steps, session, "down", "harbor")[SESSION])[1] == ("Harbor", CHAT)
    assert shown(acted(steps, session, "up", "harbor")[SESSION])[0] == ("Harbor", CHAT)
    done = acted(steps, session, "scope", "tower", scope=EVERYWHERE)
    assert shown(done[SESSION]) == [("Tower", EVERYWHERE), ("Harbor", CHAT)]
    assert "<p>Tower: everywhere.</p>" in done[SAID]


def test_remove_and_undo(steps, session, shown):
    done = acted(steps, session, "remove", "harbor", editing=Editing("harbor"))
    assert shown(done[SESSION]) == [("Tower", CHAT)]
    assert '<p>Removed: Harbor.</p><button type="button" data-airoboros-longctx="undo">Undo</button>' in done[SAID]
    assert done[EDITING].id is None
    assert done[TITLE:PREVIEW] == ["", "", ""]
    back = acted(steps, done[SESSION], "undo", editing=done[EDITING])
    assert shown(back[SESSION]) == shown(session)
    assert back[EDITING].removed is None


def test_a_source_that_was_attached_to_a_message_is_shown_and_not_changed(steps, host, session):
    host.attached = (ChatDocument("notes.txt", "It is blue.", id="f" * 32),)
    assert "<mark" in acted(steps, session, "preview", "f" * 32, start=0, end=5)[PREVIEW]
    assert "That document is not in this chat any more" in acted(steps, session, "remove", "f" * 32)[SAID]


def test_preview_marks_a_passage_and_closes(steps, session):
    shown = acted(steps, session, "preview", "harbor", start=4, end=10)[PREVIEW]
    assert '<mark tabindex="-1">harbor</mark>' in shown
    assert acted(steps, session, "close-preview")[PREVIEW] == ""


@pytest.mark.parametrize(
    "action",
    [
        '{"do":"remove","id":"nobody"}',
        '{"do":"remove","id":"<script>alert(1)</script>"}',
        '{"do":"scope","id":"harbor","scope":"<b>"}',
        '{"do":"preview","id":""}',
        '{"do":"undo"}',
        '{"do":"<script>"}',
        "{{7*7}}",
    ],
)
def test_forged_actions_change_nothing(steps, session, action):
    done = steps.on_action(session, None, action, "one", "What?")
    assert done[SESSION] is session
    assert 'role="alert"' in done[SAID]
    assert "<script" not in done[SAID]
    assert done[EDITOR:] == [gradio.update()] * 5


def test_ids_of_another_chat_reach_nothing(steps, session):
    for do in ("switch", "up", "scope", "edit", "preview", "remove"):
        done = acted(steps, session, do, "harbor", chat="two", scope=EVERYWHERE)
        assert done[SESSION] is session
        assert "That document is not in this chat any more" in done[SAID]
        assert done[PREVIEW] == gradio.update()


def test_what_was_read_is_taken_and_forgotten(steps, session, shown):
    brought = ((ChatDocument("a", "A."), ChatDocument("b", "B.")), "2 added.", "c.txt <is> empty.")
    *done, left = steps.on_brought(session, None, "Everywhere", brought, "one", "")
    assert shown(done[SESSION])[:2] == [("a", EVERYWHERE), ("b", EVERYWHERE)]
    assert "<p>2 added. c.txt &lt;is&gt; empty.</p>" in done[SAID]
    assert left is None
    assert steps.on_brought(session, None, "This chat", None, "one", "")[SESSION] is session


def test_a_page_that_fails_is_said_and_breaks_nothing(steps, host, session):
    host.broken = True
    done = acted(steps, session, "remove", "harbor", editing=Editing("tower"))
    assert done[:2] == [session, Editing("tower")]
    assert "That did not work: RuntimeError: the page is &lt;not&gt; ready" in done[SAID]


def test_the_ticks_leave_the_documents_alone(steps, session):
    after = steps.on_options(session, False, True, False, True, False, False, 3, TOO_LONG[SHORTEN])
    assert after.options == DocumentOptions(False, True, False, False, 2.0, True, SHORTEN, False)
    assert after.documents == session.documents
    forged = steps.on_options(session, *[True] * 6, float("1e400"), "<b>")
    assert (forged.options.temperature, forged.options.when_too_long) == (2.0, "passages")
    assert steps.on_options(session, *[True] * 6, None, None).options.temperature == 0.5


def test_the_page_learns_who_opened_it(steps, session):
    assert steps.on_open(session, SimpleNamespace(username="ann")).person == "ann"
    assert steps.on_open(None, SimpleNamespace(username="ann")) == ChatSession(DocumentOptions(), person="ann")
    for request in (None, SimpleNamespace(username=None), SimpleNamespace()):
        assert steps.on_open(session, request) == gradio.update()
