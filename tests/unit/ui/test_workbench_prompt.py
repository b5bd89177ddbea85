"""The workbench's prompt fits the window: the oldest turns give way, the question never does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT, Place
from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.core.ports import LoadedModel
from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, render
from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.core.prompts.instruction_templates import (
    DEFAULT_TEMPLATE,
    instruction_template,
    render_conversation,
)
from extensions.airoboros_longctx.core.replies.reply_safety import safe_reply
from extensions.airoboros_longctx.core.replies.source_check import SentDocument
from extensions.airoboros_longctx.ui import workbench_conversation
from extensions.airoboros_longctx.ui.workbench_conversation import Said, messages_of, sources_of, turns_of
from extensions.airoboros_longctx.workbench import Workbench
from tests.unit.service.fakes import FakeModel

HISTORY = [(f"question {number}", f"answer {number}") for number in range(1, 6)]


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A workbench whose tokens are words."""
    found = Workbench(tmp_path)
    monkeypatch.setattr(found.host, "count_tokens", lambda text: len(text.split()))
    monkeypatch.setattr(found.host, "loaded_model", lambda: LoadedModel("none", "Transformers", FakeModel()))
    return found


def words_with(turns: int) -> int:
    text = render_conversation(instruction_template(DEFAULT_TEMPLATE), "and now?", HISTORY[len(HISTORY) - turns :])
    return len(text.split())


def test_everything_is_kept_where_it_fits(workbench):
    workbench.host.truncation_length = words_with(5) + 10
    prompt = workbench.prompt("and now?", HISTORY, 10)
    assert prompt == render_conversation(instruction_template(DEFAULT_TEMPLATE), "and now?", HISTORY)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 4])
def test_the_oldest_turns_give_way(workbench, turns):
    workbench.host.truncation_length = words_with(turns) + 10
    prompt = workbench.prompt("and now?", HISTORY, 10)
    kept = [answer for _, answer in HISTORY if answer in prompt]
    assert kept == [answer for _, answer in HISTORY[len(HISTORY) - turns :]]
    assert prompt == render_conversation(
        instruction_template(DEFAULT_TEMPLATE), "and now?", HISTORY[len(HISTORY) - turns :]
    )


def test_the_envelope_stays_whatever_gives_way(workbench):
    workbench.host.truncation_length = words_with(0)
    prompt = workbench.prompt("and now?", HISTORY, 0)
    assert prompt.startswith(instruction_template(DEFAULT_TEMPLATE).system)
    assert prompt.endswith("USER: and now? ASSISTANT: ")


def test_a_question_that_does_not_fit_is_refused_with_the_numbers(workbench):
    needed = words_with(0)
    workbench.host.truncation_length = needed + 9
    with pytest.raises(AiroborosLongctxError) as error:
        workbench.prompt("and now?", HISTORY, 10)
    assert str(error.value) == (
        f"The question takes {needed} tokens and 10 are kept for the reply; the window has {needed + 9}. "
        "Shorten the question or the reply."
    )


def test_nothing_is_answered_without_a_model(workbench, monkeypatch):
    monkeypatch.setattr(workbench.host, "loaded_model", lambda: None)
    with pytest.raises(AiroborosLongctxError, match="No model is loaded; load one first"):
        next(iter(workbench.reply("hello", [], 5, 0.0, None)))


DOCUMENT = ChatDocument("Harbor", "The harbor is teal.")
PAGE = Place().shelf(CHAT)
SESSION = ChatSession(DocumentOptions(only_from_documents=False)).with_documents(PAGE, [DOCUMENT])


def test_documents_stand_alone_or_after_the_history(workbench):
    workbench.host.truncation_length = 1000
    message = render(ClosedContext((DOCUMENT.block(),), "and now?"))
    template = instruction_template(DEFAULT_TEMPLATE)
    assert workbench.prompt("and now?", HISTORY, 10, SESSION) == render_conversation(template, message)
    after = replace(SESSION, options=replace(SESSION.options, without_history=False))
    assert workbench.prompt("and now?", HISTORY, 10, after) == render_conversation(template, message, HISTORY)


def test_documents_give_way_after_the_history(workbench):
    long = replace(DOCUMENT, text="teal " * 500)
    after = replace(SESSION, options=replace(SESSION.options, without_history=False))
    workbench.host.truncation_length = 300
    prompt = workbench.prompt("and now?", HISTORY, 10, after.with_documents(PAGE, [long]))
    assert "answer 5" not in prompt
    assert "left out" in prompt
    assert 270 < len(prompt.split()) <= 290


def test_plainformat_is_added_to_the_prompt_only(workbench, monkeypatch):
    workbench.host.truncation_length = 1000
    monkeypatch.setattr(workbench, "plainformat_separator", lambda: "\n")
    prompt = workbench.prompt("Write a loop.", [], 10, ChatSession(plainformat=True))
    assert prompt.endswith("USER: Write a loop.\nPLAINFORMAT ASSISTANT: ")
    monkeypatch.setattr(workbench, "plainformat_separator", lambda: None)
    assert "PLAINFORMAT" not in workbench.prompt("Write a loop.", [], 10, ChatSession(plainformat=True))


def test_what_is_shown_and_what_was_said():
    conversation = [Said("q1", "a1"), Said("code?", "```python\nx = 1\n", code=True), Said("q2")]
    shown = [message["content"] for message in messages_of(conversation)]
    assert shown == ["q1", "a1", "code?", "```plainformat\nx = 1\n\n```", "q2", "…"]
    assert turns_of(conversation) == [("q1", "a1"), ("code?", "```python\nx = 1\n"), ("q2", "")]


def test_the_documents_of_a_prompt_are_those_that_its_reply_is_checked_against(workbench):
    workbench.host.truncation_length = 1000
    sent = []
    workbench.prompt("and now?", [], 10, SESSION, sent)
    assert sent == [SentDocument(DOCUMENT.id, "Harbor", DOCUMENT.block(), "The harbor is teal.")]
    workbench.prompt("and now?", [], 10, ChatSession(), sent)
    assert len(sent) == 1


def test_replies_over_documents_fetch_nothing_and_others_are_as_they_were():
    image = "![x](http://web.site/?The+harbor+is+teal)"
    plain, safe = (messages_of([Said("q", image, documents=documents)])[1]["content"] for documents in (False, True))
    assert plain == image
    assert safe == safe_reply(image, html_escaped=False) != image


def test_the_note_of_a_reply_stands_under_it_and_not_in_the_conversation():
    said = Said("q", "teal", documents=True, sources="<div>Sources</div>")
    assert messages_of([said])[1]["content"] == "teal\n\n<div>Sources</div>"
    assert turns_of([said]) == [("q", "teal")]


def test_a_reply_without_documents_has_no_note():
    document = SentDocument("a", "Harbor", DOCUMENT.block(), DOCUMENT.text)
    assert sources_of("teal", [], "q") == sources_of("  ", [document], "q") == ""


def test_a_note_that_fails_is_a_sentence_and_the_reply_stays(monkeypatch):
    def fails(*given):
        raise ValueError("<odd>")

    monkeypatch.setattr(workbench_conversation, "check_reply", fails)
    document = SentDocument("a", "Harbor", DOCUMENT.block(), DOCUMENT.text)
    assert sources_of("teal", [document], "q") == (
        "The sources of this reply could not be checked: ValueError: &lt;odd&gt;"
    )
