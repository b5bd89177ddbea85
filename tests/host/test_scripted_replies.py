"""A real webui answered by a script in place of a model: the prompt that arrives is ours, character by character."""

from __future__ import annotations

import threading

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatDocument, ChatSession
from extensions.airoboros_longctx.core.documents.place import CHAT
from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.prompts.document_options import DocumentOptions
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from extensions.airoboros_longctx.host.served.model import ServerOptions
from extensions.airoboros_longctx.workbench import Workbench
from tests.host.scripted_host import scripted_webui

__all__ = ["scripted_webui"]
pytestmark = [pytest.mark.host, pytest.mark.slow]
TEMPLATE = instruction_template("Airoboros-1.4")
QUESTION = "What color are blueberries?"
BLUEBERRIES = Document("Blueberries are now green.", (("url", "https://web.site/123"),))


def script(prompt):
    return "green\n\nSource:\nurl: https://web.site/123" if "BEGININPUT" in prompt else "Blue, as far as I know."


def test_the_scripted_reply_comes_and_the_prompt_is_ours(scripted_webui):
    with scripted_webui(script, page=False) as webui:
        assert webui.chat(QUESTION) == "Blue, as far as I know."
        document = {"text": BLUEBERRIES.text, "metadata": {"url": "https://web.site/123"}}
        assert webui.chat(QUESTION, documents=[document]) == "green\n\nSource:\nurl: https://web.site/123"
        message = render(ClosedContext((BLUEBERRIES,), QUESTION))
        plain, closed_context = webui.scripted.prompts
        assert plain == render_conversation(TEMPLATE, QUESTION)
        assert closed_context == render_conversation(TEMPLATE, message)


def test_the_workbench_over_this_webui(scripted_webui, tmp_path):
    """Its exact prompt goes through the webui's own API, whose tokenizer counts."""
    with scripted_webui(script, page=False) as webui:
        workbench = Workbench(tmp_path, server=ServerOptions(f"{webui.api}/v1"))
        workbench.load("")
        assert workbench.service.status().headline == (
            f"served elsewhere · 2048 tokens · {webui.api}/v1 · not scaled by this extension, not confirmed"
        )
        assert workbench.host.count_tokens("one two three") == 4  # three words, and the start
        replies = list(workbench.reply(QUESTION, [], 64, 0.0, threading.Event()))
        assert replies[-1] == "Blue, as far as I know."
        assert len(replies) > 2
        session = ChatSession(DocumentOptions(only_from_documents=False, name_sources=False))
        session = session.with_documents(workbench.place.shelf(CHAT), [ChatDocument("", BLUEBERRIES.text)])
        list(workbench.reply(QUESTION, [], 64, 0.0, threading.Event(), session))
        message = render(ClosedContext((Document(BLUEBERRIES.text, ()),), QUESTION))
        assert webui.scripted.prompts == [
            render_conversation(TEMPLATE, QUESTION),
            render_conversation(TEMPLATE, message),
        ]
