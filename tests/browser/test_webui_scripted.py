"""A chat in a real webui's page that a script answers in place of a 65B."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from tests.browser.chromium import chromium_page
from tests.browser.test_webui_documents import add, last_reply, open_page, panel, send, settled
from tests.host.scripted_host import scripted_webui

__all__ = ["scripted_webui"]
pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]
QUESTION = "What is the color of the harbor?"


def script(prompt):
    return "The color of the harbor is teal." if "BEGININPUT" in prompt else "I am a script."


def test_the_page_shows_the_scripted_reply_and_the_prompt_was_ours(newest, host, scripted_webui):
    settings = "mode: instruct\nmax_new_tokens: 64\n"
    with scripted_webui(script, settings=settings) as webui, chromium_page(1280, 1400) as page:
        open_page(page, webui, host)
        send(page, "Who are you?")
        last_reply(page, lambda text: "I am a script." in text)
        settled(page)
        panel(page).get_by_label("Answer from these documents only").uncheck()
        add(page, "Harbor", "source: kite", "The color of the harbor is teal.")
        send(page, QUESTION)
        last_reply(page, lambda text: "The color of the harbor is teal." in text)
        template = instruction_template("Airoboros-1.4")
        harbor = Document("The color of the harbor is teal.", (("title", "Harbor"), ("source", "kite")))
        assert webui.scripted.prompts == [
            render_conversation(template, "Who are you?"),
            render_conversation(template, render(ClosedContext((harbor,), QUESTION))),
        ]
