"""The panel's buttons: a form is shown, put into the chat, asked outside the chat, and its reply read."""

from __future__ import annotations

import html
import re
import threading
from types import SimpleNamespace

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument
from extensions.airoboros_longctx.core.documents.place import CHAT
from extensions.airoboros_longctx.core.formats.plan_steps import Plan
from extensions.airoboros_longctx.ui.formats import shown_state
from extensions.airoboros_longctx.ui.formats.followed_reply import followed
from tests.unit.ui.formats.conftest import PLACE, Shown

QUESTION = "How many?"
RANKED = """\
Solution 1: Count.
Final answer: 7
Solution 2: Guess.
Final answer: 8
Ranking of solutions from best to worst:
1. Solution 1: exact.
2. Solution 2: not.
Best and final answer: 7"""
PLAN = "Plan: Multiply.\n:evidence0: = Calculator[6 * 7]\nAnswer: :evidence0:"
LONG = "word " * 500


def asked(panel, *fields):
    return [Shown(outputs) for outputs in panel.asking.on_ask(*panel.fields(*fields))]


def test_asking_shows_the_reply_as_it_grows_and_then_its_parts(panel):
    panel.host.replies = [["Solution 1:", RANKED]]
    first, growing, whole, last = asked(panel, "Ranked reasoning", QUESTION)
    assert first.visible == growing.visible == ["stop"]
    assert (first.result, growing.result) == ("", '<pre class="airoboros-longctx-text">Solution 1:</pre>')
    assert whole.stopping is first.stopping
    assert last.visible == ["actions"]
    assert last.result.startswith('<p class="airoboros-longctx-answer">7</p>')
    assert "<summary>The reply itself</summary>" in last.result
    message = panel.forms.known["Ranked reasoning"].message({"question": QUESTION})
    assert panel.host.prompts == [(f"P USER: {message} ASSISTANT: ", 40)]


def test_a_reply_that_is_none_stands_below_the_sentence(panel):
    panel.host.replies = [["I <do not> know."]]
    last = asked(panel, "Ranked reasoning", QUESTION)[-1]
    assert 'role="alert"' in last.words
    assert "Solution 1:" in html.unescape(last.words)
    assert last.result == '<pre class="airoboros-longctx-text">I &lt;do not&gt; know.</pre>'
    assert (last.running, last.visible) == (None, ["actions"])


def test_stop_keeps_what_is_there(panel):
    panel.host.replies = [["One", "One two", "One two three"]]
    outputs = panel.asking.on_ask(*panel.fields("Joke", "herring"))
    stopping = Shown(next(outputs)).stopping
    assert "One<" in Shown(next(outputs)).result
    panel.plans.on_stop(stopping, None)
    *_, last = map(Shown, outputs)
    assert ("Stopped." in last.words, "three" in last.result, last.visible) == (True, False, ["actions"])


def test_stop_ends_the_waiting_for_a_model_that_answers_somebody_else(panel):
    answers_me = threading.Event()

    def reply(prompt, reply_tokens, stopping):
        answers_me.wait(20)
        yield "Too late."

    panel.host.reply = reply
    outputs = panel.asking.on_ask(*panel.fields("Joke", "herring"))
    panel.plans.on_stop(Shown(next(outputs)).stopping, None)
    (last,) = map(Shown, outputs)
    assert not answers_me.is_set()
    assert ("Stopped." in last.words, last.visible) == (True, ["actions"])
    answers_me.set()


def test_a_page_that_is_closed_stops_its_reply():
    stopping = threading.Event()
    growing = followed(iter(["One", "One two"]), stopping)
    assert next(growing) == "One"
    growing.close()
    assert stopping.is_set()


def test_the_reply_to_a_recipe_is_text(panel):
    panel.host.replies = [["Ha <ha>."]]
    last = asked(panel, "Joke", "herring")[-1]
    assert (last.words, last.result) == ("", '<pre class="airoboros-longctx-text">Ha &lt;ha&gt;.</pre>')


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((None,), "No form is chosen; choose one first."),
        (("no such form",), "No form is chosen; choose one first."),
        (
            ("Ranked reasoning", QUESTION, "many"),
            "solutions (Number of solutions, 2 to 9) is 'many'; a whole number is needed.",
        ),
        (
            ("Summary of a text", ""),
            "Text is empty, and no document of this chat is on; fill it in, or add a document.",
        ),
        (
            ("Joke", LONG.strip()),
            "and 40 are kept for the reply; the window has 440. Shorten what was filled in, or the reply.",
        ),
    ],
)
def test_what_cannot_be_asked_is_said_and_not_asked(panel, fields, sentence):
    last = asked(panel, *fields)[-1]
    assert sentence in html.unescape(last.words)
    assert (last.visible, panel.host.prompts) == (["actions"], [])


def test_without_a_model(panel):
    panel.host.turn = None
    assert "No model is loaded; load one first." in asked(panel, "Joke", "herring")[-1].words


def test_a_model_that_fails_leaves_what_it_said(panel):
    def breaks(prompt, reply_tokens, stopping):
        yield "So far"
        raise RuntimeError("out of <memory>")

    panel.host.reply = breaks
    last = asked(panel, "Joke", "herring")[-1]
    assert "The question failed: RuntimeError: out of &lt;memory&gt;" in last.words
    assert "So far" in last.result
    assert last.visible == ["actions"]


def test_the_chats_last_reply_is_read(panel):
    fields = panel.fields("Ranked reasoning", QUESTION)
    (none,) = map(Shown, panel.asking.on_read(PLAN, *fields))
    assert (none.running, "value" in none.result) == (PLAN, False)
    assert "The chat has no reply yet; put the message into the chat and send it first." in html.unescape(none.words)
    panel.host.last = RANKED
    (read,) = map(Shown, panel.asking.on_read(None, *fields))
    assert read.result.startswith('<p class="airoboros-longctx-answer">7</p>')
    assert panel.host.prompts == []


def test_a_plan_that_was_read_can_be_run_and_nothing_can_be_retried(panel):
    form = panel.forms.known["Plan with tools (reWOO)"]
    tools = next(one for one in panel.asking.fields(form, None, ()) if one.name == "tools").default
    assert [line.partition(":")[0] for line in tools.splitlines()[:3]] == [
        "DocumentSearch",
        "KnowledgeModel",
        "Calculator",
    ]
    panel.host.last = PLAN
    fields = panel.fields(form.title, "What?", tools, ":evidence0:")
    (read,) = map(Shown, panel.asking.on_read(None, *fields))
    assert isinstance(read.running, Plan)
    assert read.visible == ["actions", "later", "run"]


def test_the_exact_message_is_shown(panel):
    words, shown = panel.asking.on_show(*panel.fields("Joke", "<herring>"))
    assert (words, "&lt;herring&gt;" in shown) == ("", True)
    assert panel.asking.on_show(*panel.fields(None))[1] == ""


@pytest.mark.parametrize("with_files", [False, True])
def test_the_message_is_put_into_the_chats_field(panel, with_files):
    field = type("MultimodalTextbox", (), {})() if with_files else SimpleNamespace()
    panel.host.typing_field = lambda: field
    message = panel.forms.known["Joke"].message({"topic": "herring"})
    empty, draft = ({"text": "", "files": ["a.txt"]}, {"text": "Dear all"}) if with_files else (None, "Dear all")
    update, words = panel.asking.on_put(empty, *panel.fields("Joke", "herring"))
    assert update["value"] == ({"text": message, "files": ["a.txt"]} if with_files else message)
    assert "The message stands in the chat&#x27;s field; send it there." in words
    assert panel.asking.on_put(update["value"], *panel.fields("Joke", "herring"))[0]["value"] == update["value"]
    refused, words = panel.asking.on_put(draft, *panel.fields("Joke", "herring"))
    assert "value" not in refused
    assert "There is a text in the chat&#x27;s field already; send it or delete it first." in words
    assert "value" not in panel.asking.on_put(None, *panel.fields(None))[0]


def test_a_reply_is_drawn_as_fast_as_a_page_can(panel, monkeypatch):
    monkeypatch.setattr(shown_state, "DRAWN_EVERY_SECONDS", 60.0)
    panel.host.replies = [["H", "Ha", "Ha ha", "Ha ha."]]
    shown = asked(panel, "Joke", "herring")
    assert [re.sub("<[^>]+>", "", one.result) for one in shown] == ["", "H", "Ha ha."]


def test_a_field_that_was_emptied_is_empty(panel):
    assert "Joke lacks topic (About); fill in what is missing." in asked(panel, "Joke", "")[-1].words
    assert "Question is empty; fill it in." in asked(panel, "Ranked reasoning", " ")[-1].words
    words = html.unescape(asked(panel, "Ranked reasoning", QUESTION, "twelve")[-1].words)
    assert "solutions (Number of solutions, 2 to 9) is 'twelve'; a whole number is needed." in words
    assert panel.host.prompts == []


def test_an_empty_text_is_that_of_the_documents(panel):
    harbor, tower = ChatDocument("Harbor", "It is teal.", id="h"), ChatDocument("", "It is red.", id="t")
    panel.session = panel.session.with_documents(PLACE.shelf(CHAT), [harbor])
    panel.host.replies = [["Short."], ["Short."], ["Short."]]
    asked(panel, "Summary of a text", "", "130")
    assert "BEGINCONTEXT\nIt is teal.\nENDCONTEXT" in panel.host.prompts[0][0]
    panel.host.attached = (tower,)
    asked(panel, "Summary of a text", "", "130")
    assert "BEGINCONTEXT\nHarbor\n\nIt is teal.\n\nIt is red.\nENDCONTEXT" in panel.host.prompts[1][0]
    asked(panel, "Summary of a text", "My own.", "130")
    assert "BEGINCONTEXT\nMy own.\nENDCONTEXT" in panel.host.prompts[2][0]
