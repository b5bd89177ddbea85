"""The workbench's prompt fits the window: the oldest turns give way, the question never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.core.instruction_templates import instruction_template, render_conversation
from extensions.airoboros_longctx.ui.workbench_page import turns_of
from extensions.airoboros_longctx.workbench import DEFAULT_TEMPLATE, Workbench

HISTORY = [(f"question {number}", f"answer {number}") for number in range(1, 6)]


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A workbench whose tokens are words."""
    found = Workbench(tmp_path)
    monkeypatch.setattr(found.host, "count_tokens", lambda text: len(text.split()))
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


def test_nothing_is_answered_without_a_model(workbench):
    with pytest.raises(AiroborosLongctxError, match="No model is loaded; load one first"):
        next(iter(workbench.reply("hello", [], 5, 0.0, None)))


def test_the_finished_turns_of_a_chat():
    def said(role, content):
        return {"role": role, "content": content}

    parts = [{"text": "an"}, {"text": "swer"}, {"path": "x.png"}]
    messages = [said("user", "q1"), said("assistant", parts), said("user", "lost"), said("user", "q2")]
    assert turns_of([*messages, said("assistant", "a2"), said("user", "open")]) == [("q1", "answer"), ("q2", "a2")]
    assert turns_of([]) == []
