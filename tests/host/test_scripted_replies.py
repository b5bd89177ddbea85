"""A real webui answered by a script in place of a model: the prompt that arrives is ours, character by character."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
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
