"""Where a page of the webui is: whose documents it shows, and which of them are stored."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatSession
from extensions.airoboros_longctx.core.documents.place import CHARACTER, CHAT, EVERYWHERE, Place, Shelf
from extensions.airoboros_longctx.host.webui.chat.place import has_one_person, place_of

ALONE = SimpleNamespace(multi_user=False, gradio_auth=None, gradio_auth_path=None)
CHAT_MODE = {"mode": "chat", "unique_id": "20260101-10-00-00", "character_menu": "Ada"}


def place(state=CHAT_MODE, arguments=ALONE, person=None):
    return place_of(state, ChatSession(person=person), arguments, "/webui")


def test_a_chat_with_a_character_has_three_shelves_and_all_are_stored():
    found = place()
    assert found == Place("", "/webui", "Ada", "chat/Ada/20260101-10-00-00")
    assert found.scopes == (EVERYWHERE, CHARACTER, CHAT)
    assert [found.shelf(scope).stored for scope in found.scopes] == [True, True, True]
    assert found.shelf(EVERYWHERE) == Shelf(EVERYWHERE, True)
    assert found.shelf(CHARACTER) == Shelf(CHARACTER, True, "", "/webui", "Ada")


def test_instruct_mode_has_no_character():
    found = place({**CHAT_MODE, "mode": "instruct"})
    assert (found.character, found.chat) == ("", "instruct/20260101-10-00-00")
    assert found.scopes == (EVERYWHERE, CHAT)
    with pytest.raises(ValueError, match="everywhere or chat"):
        found.shelf(CHARACTER)


def test_an_incognito_chat_is_not_stored():
    found = place({**CHAT_MODE, "unique_id": "incognito-20260101-10-00-00"})
    assert not found.shelf(CHAT).stored
    assert found.shelf(CHARACTER).stored


def test_a_webui_that_does_not_say_the_chat_keeps_its_documents_in_the_page():
    shelves = {
        place({"mode": mode, "character_menu": name}).shelf(CHAT) for mode in ("chat", "instruct") for name in "AB"
    }
    assert shelves == {Shelf(CHAT, False)}
    assert place({"mode": "chat", "character_menu": "None"}).scopes == (EVERYWHERE, CHAT)


def test_people_who_cannot_be_told_apart_store_nothing():
    found = place(arguments=SimpleNamespace(multi_user=True, gradio_auth=None, gradio_auth_path=None))
    assert found.person is None
    assert found.scopes == (CHAT,)
    assert not found.shelf(CHAT).stored


@pytest.mark.parametrize("option", ["gradio_auth", "gradio_auth_path"])
@pytest.mark.parametrize("multi_user", [True, False])
def test_with_logins_documents_belong_to_the_person_who_logged_in(option, multi_user):
    arguments = SimpleNamespace(**{**vars(ALONE), "multi_user": multi_user, option: "ada:x,bob:y"})
    ada, bob, unknown = (place(arguments=arguments, person=name) for name in ("ada", "bob", None))
    assert ada.shelf(EVERYWHERE) != bob.shelf(EVERYWHERE)
    assert ada.shelf(CHAT).stored
    assert unknown.scopes == (CHAT,)
    assert not unknown.shelf(CHAT).stored


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (SimpleNamespace(), True),
        (ALONE, True),
        (SimpleNamespace(multi_user=True), False),
        (SimpleNamespace(gradio_auth="ann:secret"), False),
        (SimpleNamespace(gradio_auth_path="people.txt"), False),
    ],
)
def test_one_person_where_the_webui_was_told_of_no_other(arguments, expected):
    assert has_one_person(arguments) is expected
