"""The workbench's page as the panels see it, and how a reply from documents is sampled."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT, Place
from extensions.airoboros_longctx.core.errors import AiroborosLongctxError
from extensions.airoboros_longctx.core.packing.does_not_fit import DoesNotFitError
from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.ui.workbench_conversation import Said
from extensions.airoboros_longctx.ui.workbench_page import create_workbench_page
from extensions.airoboros_longctx.ui.workbench_panels import WorkbenchPanelHost
from tests.unit.ui.test_workbench_prompt import workbench  # noqa: F401

CONVERSATION = [Said("q1", "a1"), Said("code?", "```\nx = 1\n```", code=True)]
PAGE = Place().shelf(CHAT)
SESSION = ChatSession(DocumentOptions(temperature=0.7)).with_documents(PAGE, [ChatDocument("", "It is teal.")])


@pytest.fixture
def panels(workbench):  # noqa: F811
    workbench.host.truncation_length = 1000
    return WorkbenchPanelHost(workbench, None, (), ())


@pytest.fixture
def sampled(workbench, monkeypatch):  # noqa: F811
    """What the host is asked to generate with: temperature, repetition penalty."""
    workbench.host.truncation_length = 1000
    calls = []

    def generate(prompt, max_new_tokens, temperature, stop, stopping, repetition_penalty=None):
        calls.append((temperature, repetition_penalty))
        assert "USER:" in stop
        yield "said"

    monkeypatch.setattr(workbench.host, "generate", generate)
    return calls


def test_the_whole_page_can_be_drawn(workbench):  # noqa: F811
    """Every event finds its components."""
    pytest.importorskip("gradio")
    page = create_workbench_page(workbench)
    labels = {component.get("props", {}).get("label") for component in page.get_config_file()["components"]}
    assert {"PLAINFORMAT", "Title", "Metadata", "Document text", "Temperature with documents", "Message"} <= labels


def test_the_request_is_the_page_as_it_is(panels):
    request = panels.request(ChatSession(), ("What?", CONVERSATION, 64.0))
    assert (request.place, request.question, request.reply_tokens, request.estimated) == (Place(), "What?", 64, False)
    assert (request.turn.turns, request.turn.limit_tokens) == (2, 936)
    assert "ASSISTANT: ```\nx = 1\n```</s>" in request.turn.render("What?", 2)


def test_without_a_model_the_tokens_are_a_guess(panels, workbench, monkeypatch):  # noqa: F811
    monkeypatch.setattr(workbench.host, "loaded_model", lambda: None)
    request = panels.request(ChatSession(), (None, [], 64))
    assert (request.question, request.turn, request.estimated) == ("", None, True)
    assert request.count_tokens("teal") > 0


def test_the_exact_prompt_is_the_one_that_is_sent(panels, workbench, monkeypatch):  # noqa: F811
    sent = []
    monkeypatch.setattr(workbench.host, "generate", lambda prompt, *more: iter((sent.append(prompt) or "said",)))
    for session in (ChatSession(), SESSION, replace(SESSION, plainformat=True), ChatSession(plainformat=True)):
        shown = panels.prompt(session, ("What?", CONVERSATION, 64))
        list(workbench.reply("What?", [("q1", "a1"), ("code?", "```\nx = 1\n```")], 64, 0, threading.Event(), session))
        assert sent.pop() == shown


def test_documents_bring_their_sampling_and_off_ones_do_not(workbench, sampled):  # noqa: F811
    off = SESSION.with_documents(PAGE, [ChatDocument("", "It is teal.", on=False)])
    not_wanted = replace(SESSION, options=replace(SESSION.options, own_sampling=False))
    for session in (None, ChatSession(), off, not_wanted, SESSION):
        list(workbench.reply("What?", [], 64, 0.1, threading.Event(), session))
    assert sampled == [(0.1, None)] * 4 + [(0.7, 1.0)]


def test_what_does_not_fit_is_refused_with_a_sentence(panels, workbench):  # noqa: F811
    workbench.host.truncation_length = 70
    with pytest.raises(DoesNotFitError, match="the window leaves 6"):
        panels.prompt(SESSION, ("What?", [], 64))
    with pytest.raises(AiroborosLongctxError):
        list(workbench.reply("What?", [], 64, 0, threading.Event(), SESSION))
