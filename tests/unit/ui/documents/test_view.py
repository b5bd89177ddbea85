"""What the panel shows of a session, and that looking never writes it."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT
from extensions.airoboros_longctx.core.prompts.document_options import SHORTEN, DocumentOptions
from extensions.airoboros_longctx.ui.documents.steps import Editing
from extensions.airoboros_longctx.ui.plainformat_panel import NOT_WITH_DOCUMENTS
from tests.unit.ui.documents.conftest import HARBOR, place_of

gradio = pytest.importorskip("gradio")
ACTION = '{"do":"undo","number":42}'
#: What a look shows, in order.
PANEL, BAR, LIST, ADD_TO, KEPT, ADDING, SAVING, TICK, NOTE = range(9)


def looked(view, session, question="What?", editing=None, chat="one", add_to="This chat"):
    return view.look(session, editing, ACTION, add_to, chat, question)


def of_one(*documents, options=None):
    return ChatSession(options or DocumentOptions()).with_documents(place_of("one").shelf(CHAT), documents)


def test_what_is_shown(view, session):
    seen = looked(view, session, editing=Editing("tower"))
    assert seen[PANEL] == gradio.update(label="Documents · 2 on")
    assert "464 tokens in all." in seen[BAR]
    assert 'title="Harbor: 12 tokens"' in seen[BAR]
    assert 'data-answered="42"' in seen[LIST]
    assert '<span class="tokens">12 tokens</span>' in seen[LIST]
    assert seen[ADD_TO] == gradio.update(choices=["This chat", "This character", "Everywhere"], value="This chat")
    assert "Used in this chat alone, and kept while this page is open." in seen[KEPT]
    assert [seen[ADDING]["visible"], seen[SAVING]["visible"]] == [False, True]
    assert seen[TICK] == gradio.update(interactive=False)
    assert NOT_WITH_DOCUMENTS in seen[NOTE]


def test_an_empty_chat_says_what_to_do(view, session):
    seen = looked(view, session, chat="two", editing=Editing("tower"), add_to="Everybody")
    assert seen[PANEL] == gradio.update(label="Documents")
    assert seen[BAR] == ""
    assert "No documents yet." in seen[LIST]
    assert seen[ADD_TO]["value"] == "This chat"
    assert [seen[ADDING]["visible"], seen[SAVING]["visible"]] == [True, False]


def test_attached_files_are_in_the_bar_and_named_in_the_list(view, host):
    host.attached = (ChatDocument("<notes>.txt", "It is blue."),)
    seen = looked(view, None, chat="two")
    assert 'title="&lt;notes&gt;.txt: 9 tokens"' in seen[BAR]
    assert "Then the files attached to messages of this chat: &lt;notes&gt;.txt." in seen[LIST]
    assert "No documents yet." not in seen[LIST]
    assert seen[TICK] == gradio.update(interactive=False)


def test_looking_never_writes_the_session(view, session):
    """What is under way at the same time would be taken back."""
    shown = [*looked(view, session), *view.on_chat_change(session, None, ACTION, "This chat", "one", "What?")]
    assert not any(isinstance(value, ChatSession) for value in shown)


def test_typing_asks_for_the_bar_alone(view, host, session):
    assert "464 tokens in all" in view.on_typing(session, "one", "What?")
    assert view.on_typing(session, "two", "What?") == gradio.update()
    host.broken = True
    assert view.on_typing(session, "one", "What?") == gradio.update()


def test_another_chats_document_leaves_the_form(view, session):
    left = view.on_chat_change(session, Editing("harbor"), ACTION, "This chat", "two", "What?")
    assert left[:6] == [Editing(), gradio.update(label="Paste a text"), "", "", "", ""]
    stays = view.on_chat_change(session, Editing("harbor"), ACTION, "This chat", "one", "What?")
    assert stays[:6] == [gradio.update()] * 6


def test_documents_that_are_too_long_are_named_before_they_are_sent(view, host):
    long = of_one(HARBOR, ChatDocument("<Long>", "red " * 900), options=DocumentOptions(when_too_long=SHORTEN))
    bar = looked(view, long)[BAR]
    assert "tokens too many." in bar
    assert "&lt;Long&gt;” keeps its first" in bar
    assert "Sent now, it would be refused." in looked(view, long, "What? " * 500)[BAR]
    by_question = of_one(HARBOR, ChatDocument("Long", "red " * 900))
    assert "Type the question: the passages that matter for it are kept." in looked(view, by_question, "")[BAR]


def test_without_a_model_the_tokens_are_a_labelled_guess(view, host, session):
    host.turn = None
    seen = looked(view, session)
    assert "About 22 tokens in documents that are on (estimated: no model is loaded)." in seen[BAR]
    assert '<span class="tokens">about 12 tokens</span>' in seen[LIST]


def test_a_page_that_fails_is_said(view, host, session):
    host.broken = True
    seen = looked(view, session)
    assert len(seen) == 9
    assert "The documents cannot be shown: RuntimeError: the page is &lt;not&gt; ready" in seen[BAR]
    assert view.on_chat_change(session, Editing("harbor"), ACTION, "", "one", "")[0] == gradio.update()
    assert "RuntimeError" in view.on_add_to(session, "This chat", "one", "")


def test_the_scope_says_how_long_it_keeps(view):
    assert "Used in every chat, and kept while this page is open." in view.on_add_to(None, "Everywhere", "one", "")
    assert "Used in every chat with this character" in view.on_add_to(None, "This character", "one", "")


def test_no_prompt_is_a_sentence(view, session):
    assert "<p>It does not &lt;fit&gt;.</p>" in view.on_prompt(session, "one", "What?")
