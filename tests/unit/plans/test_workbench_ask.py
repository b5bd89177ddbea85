"""The workbench's model as a plan's tool asks it: one message, without history, within the window."""

from __future__ import annotations

import threading

import pytest

from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.core.prompts.instruction_templates import (
    DEFAULT_TEMPLATE,
    instruction_template,
    render_conversation,
)
from tests.unit.ui.test_workbench_prompt import workbench  # noqa: F401


@pytest.fixture
def asked(workbench, monkeypatch):  # noqa: F811
    """The calls of the host's ``generate``, whose reply grows by a word at a time."""
    calls: list[tuple] = []

    def generate(prompt, max_new_tokens, temperature, stop, stopping, repetition_penalty=None):
        calls.append((prompt, max_new_tokens, temperature, stop, repetition_penalty))
        yield from ("It", "It is", "It is blue.")

    monkeypatch.setattr(workbench.host, "generate", generate)
    workbench.host.truncation_length = 100
    return calls


def test_the_message_alone_and_no_penalty(workbench, asked):  # noqa: F811
    template = instruction_template(DEFAULT_TEMPLATE)
    assert workbench.ask("What is it?", threading.Event(), 20, 0.0) == "It is blue."
    assert asked == [(render_conversation(template, "What is it?"), 20, 0.0, template.stop, 1.0)]


def test_a_reply_that_nobody_waits_for_ends(workbench, asked):  # noqa: F811
    stopping = threading.Event()

    def told(*given):
        handed.append(given[4])
        for so_far in ("It", "It is"):
            yield so_far
            stopping.set()

    handed = []
    workbench.host.generate = told
    assert workbench.ask("What is it?", stopping, 20, 0.0) == "It is"
    assert handed == [stopping]


def test_where_nobody_waits_the_model_is_asked_nothing(workbench, asked):  # noqa: F811
    stopping = threading.Event()
    stopping.set()
    assert workbench.ask("What is it?", stopping, 20, 0.0) == ""
    assert asked == []


def test_what_does_not_fit_is_not_asked(workbench, asked):  # noqa: F811
    with pytest.raises(AiroborosLongctxError, match=r"the window has 100\. Shorten the question or the reply"):
        workbench.ask("word " * 100, threading.Event(), 20, 0.0)
    assert asked == []
