"""Actions reach the documents of their own place alone, and leave everything else as it was."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHARACTER, CHAT, EVERYWHERE, Place
from extensions.airoboros_longctx.ui.documents import actions as actions_module
from extensions.airoboros_longctx.ui.documents.actions import (
    MOST_CHARACTERS,
    DocumentActionError,
    DocumentActions,
    Form,
    document_of,
    form_of,
)
from tests.unit.ui.documents.conftest import HARBOR, TOWER, place_of

ONE, TWO = place_of("one"), place_of("two")


@pytest.fixture
def actions(shelves, session):
    return DocumentActions(shelves, session, ONE)


def titles(shelves, session, place=ONE):
    return [(one.document.title, one.scope) for one in shelves.shelved(session, place)]


def test_a_form_and_its_document_say_the_same():
    document = document_of(Form(" The  quay ", "url: u:1\n\ndate : d", "Blue."))
    assert document == ChatDocument("The quay", "Blue.", (("url", "u:1"), ("date", "d")))
    assert form_of(document) == Form("The quay", "url: u:1\ndate: d", "Blue.")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (
            Form("t", "no <b>pair", "text"),
            "The metadata line 'no <b>pair' is no pair; a line such as url: https://web.site is needed.",
        ),
        (
            Form("t", ": v", "text"),
            "The metadata line ': v' is no pair; a line such as url: https://web.site is needed.",
        ),
        (Form("t", "", " \n"), "The document has no text; paste some first."),
        (
            Form("t", "", "x" * (MOST_CHARACTERS + 1)),
            "The text has 4194305 characters; at most 4194304 are taken. Paste the part you need.",
        ),
    ],
)
def test_what_is_no_document_is_refused_with_a_sentence(form, sentence):
    with pytest.raises(DocumentActionError) as error:
        document_of(form)
    assert str(error.value) == sentence


def test_a_file_longer_than_a_form_takes_can_be_given_a_title(actions, shelves, monkeypatch):
    monkeypatch.setattr(actions_module, "MOST_CHARACTERS", 10)
    after = actions.save("harbor", Form("Quay", "", HARBOR.text))
    saved = shelves.shelved(after, ONE)[0].document
    assert (saved.title, saved.text) == ("Quay", HARBOR.text)
    with pytest.raises(DocumentActionError, match=r"^The text has 20 characters; at most 19 are taken\."):
        actions.save("harbor", Form("Quay", "", f"{HARBOR.text}!"))


def test_save_keeps_id_switch_and_row(shelves, session):
    off = DocumentActions(shelves, session, ONE).switch("harbor", False)
    saved = DocumentActions(shelves, off, ONE).save("harbor", Form("Quay", "", "It is red."))
    first, second = (one.document for one in shelves.shelved(saved, ONE))
    assert (first, first.id) == (ChatDocument("Quay", "It is red.", (), on=False), "harbor")
    assert (second, second.id) == (TOWER, "tower")


@pytest.mark.parametrize(("by", "first"), [(1, "Tower"), (-1, "Harbor"), (99, "Tower")])
def test_a_document_moves_within_its_scope(shelves, session, by, first):
    with_another = DocumentActions(shelves, session, ONE).add(EVERYWHERE, ChatDocument("All", "a"))
    moved = DocumentActions(shelves, with_another, ONE).move("harbor", by)
    assert [title for title, _ in titles(shelves, moved)] == ["All", first, "Harbor" if first == "Tower" else "Tower"]


def test_a_document_changes_its_scope_and_is_there_once(shelves, session, actions):
    moved = actions.rescope("harbor", CHARACTER)
    assert titles(shelves, moved) == [("Harbor", CHARACTER), ("Tower", CHAT)]
    assert titles(shelves, moved, TWO) == [("Harbor", CHARACTER)]
    assert shelves.shelved(moved, ONE)[0].document.id == "harbor"
    assert actions.rescope("harbor", CHAT) is session


def test_a_removal_can_be_taken_back_once_and_where_it_was(shelves, session, actions):
    after, removed = actions.remove("harbor")
    assert titles(shelves, after) == [("Tower", CHAT)]
    with pytest.raises(DocumentActionError, match=r"removed in another chat; open that chat to take it back\."):
        DocumentActions(shelves, after, TWO).undo(removed)
    again = DocumentActions(shelves, after, ONE).undo(removed)
    assert titles(shelves, again) == titles(shelves, session)
    assert titles(shelves, DocumentActions(shelves, again, ONE).undo(removed)) == titles(shelves, session)
    with pytest.raises(DocumentActionError, match=r"There is nothing to take back\."):
        actions.undo(None)


@pytest.mark.parametrize("wanted", ["harbor", "", "nobody", "x" * 10_000, "../harbor"])
def test_ids_of_other_places_reach_nothing(shelves, session, wanted):
    elsewhere = DocumentActions(shelves, session, TWO)
    for act in (
        lambda: elsewhere.switch(wanted, False),
        lambda: elsewhere.move(wanted, 1),
        lambda: elsewhere.rescope(wanted, EVERYWHERE),
        lambda: elsewhere.remove(wanted),
        lambda: elsewhere.save(wanted, Form("t", "", "text")),
    ):
        with pytest.raises(DocumentActionError) as error:
            act()
        assert str(error.value) == "That document is not in this chat any more; the list shows those that are."
    assert titles(shelves, session) == [("Harbor", CHAT), ("Tower", CHAT)]


@pytest.mark.parametrize("scope", [CHARACTER, EVERYWHERE, "", "everyone"])
def test_scopes_that_a_page_does_not_have_are_refused(shelves, scope):
    nobody = Place(None, "", "", "one")
    there = ChatSession().with_documents(nobody.shelf(CHAT), [HARBOR])
    actions = DocumentActions(shelves, there, nobody)
    for act in (lambda: actions.rescope("harbor", scope), lambda: actions.add(scope, TOWER)):
        with pytest.raises(DocumentActionError, match=r"^Documents of this page cannot belong there\.$"):
            act()
    assert titles(shelves, there, nobody) == [("Harbor", CHAT)]


def test_a_scope_has_an_end(shelves, session, actions, monkeypatch):
    monkeypatch.setattr(actions_module, "MOST_DOCUMENTS", 3)
    assert len(shelves.shelved(actions.add(CHAT, TOWER), ONE)) == 3
    with pytest.raises(DocumentActionError) as error:
        actions.add(CHAT, TOWER, TOWER)
    assert str(error.value) == ("There are 2 documents and 2 came; at most 3 are kept in one place. Remove some first.")


def test_the_text_of_a_scope_has_an_end(shelves, session, actions, monkeypatch):
    characters = len(HARBOR.text) + len(TOWER.text)
    monkeypatch.setattr(actions_module, "MOST_CHARACTERS_KEPT", characters + 4)
    assert len(shelves.shelved(actions.add(CHAT, ChatDocument("", "Four")), ONE)) == 3
    with pytest.raises(DocumentActionError) as error:
        actions.add(CHAT, ChatDocument("", "Fives"))
    assert str(error.value) == (
        f"The documents would have {characters + 5} characters together; at most {characters + 4} are kept in one "
        "place. Remove some first."
    )


@pytest.mark.parametrize("scope", [CHAT, EVERYWHERE])
def test_a_move_that_broke_off_half_way_can_be_finished_or_taken_back(shelves, session, scope):
    twice = session.with_documents(ONE.shelf(EVERYWHERE), [HARBOR])
    moved = DocumentActions(shelves, twice, ONE).rescope("harbor", scope)
    assert sorted(titles(shelves, moved)) == [("Harbor", scope), ("Tower", CHAT)]
