"""Files that the webui attaches to messages: which of them are documents, and that they come once."""

from __future__ import annotations

import copy

from extensions.airoboros_longctx.host.webui.chat.attachments import attached_documents, without_attached_text

LETTER = {"name": "letter.txt", "type": "text/plain", "content": "The harbor is teal."}
PAGE = {"name": "A page", "type": "text/html", "url": "https://web.site/1", "content": "The tower is red."}
PICTURE = {"name": "x.png", "type": "image", "image_data": "data:image/png;base64,AAAA", "image_id": 1}
HISTORY = {
    "internal": [["What?", "This."]],
    "visible": [["What?", "This."]],
    "metadata": {
        "user_0": {"timestamp": "now", "attachments": [LETTER, PICTURE]},
        "assistant_0": {"timestamp": "now", "attachments": [LETTER]},
        "user_1": {"attachments": [PAGE]},
    },
}


def test_text_of_every_message_becomes_a_document_with_its_url():
    letter, page = attached_documents(HISTORY, 2)
    assert (letter.title, letter.text, letter.metadata) == ("letter.txt", "The harbor is teal.", ())
    assert (page.title, page.text, page.metadata) == ("A page", "The tower is red.", (("url", "https://web.site/1"),))
    assert page.block().metadata == (("title", "A page"), ("url", "https://web.site/1"))


def test_files_of_earlier_messages_and_of_later_ones_can_be_left_out():
    assert [one.title for one in attached_documents(HISTORY, 2, past=False)] == ["A page"]
    assert [one.title for one in attached_documents(HISTORY, 1)] == ["letter.txt"]
    assert attached_documents(HISTORY, 0) == ()


def test_the_same_file_twice_is_one_document_and_keeps_its_id():
    twice = {"metadata": {"user_0": {"attachments": [LETTER, dict(LETTER)]}, "user_1": {"attachments": [LETTER]}}}
    (only,) = attached_documents(twice, 2)
    assert only.id == attached_documents(HISTORY, 1)[0].id
    renamed = {"metadata": {"user_0": {"attachments": [{**LETTER, "name": "other"}]}}}
    assert attached_documents(renamed, 1)[0].id != only.id


def test_what_is_no_text_is_no_document():
    odd = [{**LETTER, "content": " \n"}, {**LETTER, "content": None}, {"type": "text/plain"}, "text", None]
    assert attached_documents({"metadata": {"user_0": {"attachments": odd}}}, 1) == ()
    for history in (None, {}, {"metadata": None}, {"metadata": {"user_0": None}}, {"metadata": {"user_0": {}}}):
        assert attached_documents(history, 1) == ()


def test_images_stay_attached_and_the_original_is_untouched():
    before = copy.deepcopy(HISTORY)
    left = without_attached_text(HISTORY["metadata"])
    assert left["user_0"] == {"timestamp": "now", "attachments": [PICTURE]}
    assert left["user_1"] == {"attachments": []}
    assert left["assistant_0"] == HISTORY["metadata"]["assistant_0"]
    assert before == HISTORY
