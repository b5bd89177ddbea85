"""The Documents panel without a page: each step gives a new session, and nothing that goes wrong loses anything."""

from __future__ import annotations

import pytest
from extensions.airoboros_longctx.ui.document_actions import MOST_CHARACTERS
from extensions.airoboros_longctx.ui.document_rows import Choice, heading, row_in, row_of, rows_of
from extensions.airoboros_longctx.ui.document_steps import DocumentSteps

from extensions.airoboros_longctx.core.chat_session import ChatDocument, ChatSession, DocumentOptions
from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.prompt_service import PageRequest, PromptService
from extensions.airoboros_longctx.ui.plainformat_panel import NOT_WITH_DOCUMENTS

gradio = pytest.importorskip("gradio")
HARBOR = ChatDocument("Harbor", "The harbor is teal.", (("source", "kite"),))
TOWER = ChatDocument("Tower", "The tower is red.")


class Turn:
    """Tokens are words."""

    turns = 0
    limit_tokens = 400

    def render(self, message, turns):
        return f"P USER: {message} ASSISTANT: "

    def count_tokens(self, text):
        return len(text.split())


class Host:
    """A page with two fields: the chat and the question."""

    def __init__(self):
        self.blocked, self.turn, self.broken = "", Turn(), False

    def request(self, values):
        if self.broken:
            raise RuntimeError("the page is not ready")
        chat, question = values
        return PageRequest(chat, question, self.turn, 64, Turn().count_tokens, self.turn is None)

    def prompt(self, session, values):
        raise AiroborosLongctxError("It does not fit.")

    def documents_blocked(self):
        return self.blocked

    def plainformat_separator(self):
        return "\n"


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def steps(host):
    return DocumentSteps(host, PromptService(), DocumentOptions())


@pytest.fixture
def session():
    return ChatSession().with_documents("one", [HARBOR, TOWER])


def taken(steps, step, session, row=None, form=("", "", ""), chat="one"):
    choice = Choice("one", row) if row is not None else None
    return steps.handler(step)(session, choice, *form, chat, "What?")


def titles(session, chat="one"):
    return [document.title for document in session.documents_of(chat)]


def test_add_needs_no_session_yet_and_empties_the_form(steps):
    session, choice, said, *form = taken(steps, steps.on_add, None, form=(" The  quay ", "url: u\n\ndate : d", "Blue."))
    assert session.documents_of("one") == (ChatDocument("The quay", "Blue.", (("url", "u"), ("date", "d"))),)
    assert session.options == DocumentOptions()
    assert choice is None
    assert "Added." in said
    assert form == ["", "", ""]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (("t", "no pair", "text"), "no pair"),
        (("t", ": v", "text"), "is no pair"),
        (("t", "", " \n"), "has no text"),
        (("t", "", "x" * (MOST_CHARACTERS + 1)), "at most"),
    ],
)
def test_what_cannot_be_added_is_said_and_the_form_stays(steps, session, form, words):
    after, choice, said, *fields = taken(steps, steps.on_add, session, 1, form)
    assert after is session
    assert choice == Choice("one", 1)
    assert words in said
    assert 'role="alert"' in said
    assert fields == [gradio.update()] * 3


def test_save_keeps_the_switch_and_the_row(steps, session):
    session = steps.on_switch(session, "one", 0, None).session
    after, choice, *_ = taken(steps, steps.on_save, session, 0, ("Harbor", "", "The harbor is red."))
    assert after.documents_of("one")[0] == ChatDocument("Harbor", "The harbor is red.", (), on=False)
    assert choice == Choice("one", 0)
    assert session.documents_of("one")[0].text == HARBOR.text


def test_order_switch_and_remove(steps, session):
    after, choice, *_ = taken(steps, steps.on_down, session, 0)
    assert (titles(after), choice) == (["Tower", "Harbor"], Choice("one", 1))
    after, choice, *_ = taken(steps, steps.on_up, session, 0)
    assert (titles(after), choice) == (["Harbor", "Tower"], Choice("one", 0))
    after, *_ = taken(steps, steps.on_switch, session, 1)
    assert [document.on for document in after.documents_of("one")] == [True, False]
    after, choice, *_ = taken(steps, steps.on_remove, session, 0)
    assert (titles(after), choice) == (["Tower"], None)


@pytest.mark.parametrize("row", [None, 2, -1])
def test_nothing_happens_to_a_document_that_is_not_chosen(steps, session, row):
    for step in (steps.on_save, steps.on_switch, steps.on_up, steps.on_down, steps.on_remove):
        after, _, said, *_ = taken(steps, step, session, row, ("t", "", "text"))
        assert after is session
        assert "No document is chosen" in said


def test_a_choice_in_one_chat_is_none_in_another(steps, session):
    both = session.with_documents("two", [TOWER, HARBOR])
    after, _, said, *_ = taken(steps, steps.on_remove, both, 0, chat="two")
    assert after is both
    assert "No document is chosen" in said
    choice, *form = steps.on_chat_change(both, Choice("one", 0), "two", "What?")[:4]
    assert choice is None
    assert form == ["", "", ""]
    choice, *form = steps.on_chat_change(both, Choice("one", 0), "one", "What?")[:4]
    assert choice == gradio.update()
    assert form == [gradio.update()] * 3


def test_documents_of_another_chat_are_taken_over_when_asked(steps, session):
    view = steps.look(session, None, "two", "What?")
    assert view[5] == gradio.update(visible=True, value="Use the 2 documents of the other chat here too")
    after, *_ = taken(steps, steps.on_take_over, session, chat="two")
    assert titles(after, "two") == titles(after, "one") == ["Harbor", "Tower"]
    assert steps.look(after, None, "two", "What?")[5]["visible"] is False


def test_looking_never_writes_the_session(steps, session):
    """What is under way at the same time would be taken back."""
    for shown in (
        steps.look(session, None, "one", "What?"),
        steps.on_chat_change(session, None, "one", "What?"),
        steps.on_choose(session, None, "1. Harbor", "one", "What?"),
    ):
        assert not any(isinstance(value, ChatSession) for value in shown)


def test_typing_asks_for_the_bar_alone(steps, host, session):
    assert "464 tokens in all" in steps.on_typing(session, "one", "What?")
    assert steps.on_typing(session, "two", "What?") == gradio.update()
    host.broken = True
    assert steps.on_typing(session, "one", "What?") == gradio.update()


def test_choosing_fills_the_form_once(steps, session):
    """Gradio 4 repeats the choice when a line is renumbered: what was typed since must stay."""
    choice, _, *form = steps.on_choose(session, None, "1. Harbor · 4 tokens", "one", "What?")
    assert choice == Choice("one", 0)
    assert form == ["Harbor", "source: kite", "The harbor is teal."]
    unchanged = [gradio.update()] * 5
    assert steps.on_choose(session, choice, "1. Harbor · 4 tokens · off", "one", "What?") == unchanged
    for line in (None, "", "9. gone", "x. y", "0. zero", "²."):
        assert steps.on_choose(session, None, line, "one", "What?") == unchanged


def test_what_is_shown(steps, session):
    panel, bar, lines, actions, adding, _, tick, note = steps.look(session, Choice("one", 1), "one", "What?")
    assert panel["label"] == "Documents · 2 on"
    assert "464 tokens in all" in bar
    assert lines["choices"] == ["1. Harbor · source: kite · 4 tokens", "2. Tower · 4 tokens"]
    assert lines["value"] == lines["choices"][1]
    assert (actions["visible"], adding["visible"]) == (True, False)
    assert tick["interactive"] is False
    assert NOT_WITH_DOCUMENTS in note


def test_documents_that_are_too_long_are_named_before_they_are_sent(steps, session):
    long = session.with_documents("one", [HARBOR, ChatDocument("Long", "red " * 900)])
    bar = steps.look(long, None, "one", "What?")[1]
    assert "tokens too many. Document 2 of those that are on keeps its first" in bar
    bar = steps.look(long, None, "one", "What? " * 500)[1]
    assert "Sent now, it would be refused." in bar


def test_without_a_model_the_tokens_are_a_labelled_guess(steps, host, session):
    host.turn = None
    _, bar, lines, *_ = steps.look(session, None, "one", "What?")
    assert "About 8 tokens in documents that are on (estimated: no model is loaded)." in bar
    assert lines["choices"][1] == "2. Tower · about 4 tokens"


def test_foreign_text_is_shown_as_text(steps):
    session = ChatSession().with_documents("one", [ChatDocument("<b>x</b>\n\x1b[31m", "text", (("<i>", "a: b"),))])
    assert rows_of(session, PageRequest("one", "", Turn(), 0, len)) == ["1. <b>x</b> [31m · <i>: a: b · 4 tokens"]
    _, _, said, *_ = taken(steps, steps.on_add, session, form=("", "<img src=x>", "text"))
    assert "<img" not in said
    assert "&lt;img src=x&gt;" in said


def test_a_page_that_fails_is_said_and_breaks_nothing(steps, host, session):
    host.broken = True
    after, choice, said, *form = taken(steps, steps.on_remove, session, 0)
    assert after is session
    assert choice == Choice("one", 0)
    assert "That did not work: RuntimeError: the page is not ready" in said
    assert form == [gradio.update()] * 3
    view = steps.look(session, None, "one", "What?")
    assert len(view) == 8
    assert "The tokens could not be counted: RuntimeError" in view[1]
    assert steps.on_choose(session, None, "1. Harbor", "one", "")[0] == gradio.update()
    assert steps.on_chat_change(session, Choice("one", 0), "one", "")[0] == gradio.update()


def test_blocked_documents_are_not_added(steps, host, session, tmp_path):
    host.blocked = "superbooga builds the prompts."
    for step, chat in ((steps.on_add, "one"), (steps.on_take_over, "two")):
        after, _, said, *_ = taken(steps, step, session, form=("", "", "text"), chat=chat)
        assert after is session
        assert "superbooga builds the prompts." in said


def test_files_that_can_be_read_are_taken_and_the_others_named(steps, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    for name, content in (("a.txt", b"first"), ("bad.txt", b"\xff"), ("b.md", b"second")):
        (tmp_path / name).write_bytes(content)
    files = [str(tmp_path / name) for name in ("a.txt", "bad.txt", "b.md")]
    session, _, said, *_, upload = steps.on_upload([*files, "/etc/passwd"], None, None, "", "", "", "one", "")
    assert titles(session) == ["a", "b"]
    assert "2 added. bad.txt is not UTF-8 text" in said
    assert "passwd is not an uploaded file" in said
    assert upload is None
    assert list(tmp_path.iterdir()) == []


def test_the_ticks_leave_the_documents_alone(steps, session):
    after = steps.on_options(session, False, True, False, False, 3)
    assert after.options == DocumentOptions(False, True, False, False, 2.0)
    assert after.documents == session.documents
    assert steps.on_options(session, True, True, True, True, None).options.temperature == 0.5


def test_no_prompt_is_a_sentence(steps, session):
    assert steps.on_prompt(session, "one", "What?") == "It does not fit."


def test_rows_and_headings():
    assert [row_of(line) for line in ("1. a", "12. b · off", None, "", "a", "-1. x")] == [0, 11, None, None, None, None]
    session = ChatSession().with_documents("one", [HARBOR, ChatDocument("", "Untitled text", on=False)])
    assert heading(session, "one") == "Documents · 1 of 2 on"
    assert heading(session, "two") == "Documents"
    assert rows_of(session, PageRequest("one", "", None, 0, len))[1].endswith("2. Untitled text · 13 tokens · off")
    assert row_in(Choice("one", 1), session, "one") == 1
    assert row_in(Choice("one", 2), session, "one") is None
