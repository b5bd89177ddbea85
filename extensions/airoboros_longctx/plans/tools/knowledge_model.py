"""``KnowledgeModel``: the loaded model answers a question, under the name that the card gives this tool."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...core.prompts.look_alikes import defuse_text
from ..runnable_tool import MODEL_SECONDS, RunnableTool, ToolError, asked


def knowledge_model(ask: Callable[[str, threading.Event], str], seconds: float = MODEL_SECONDS) -> RunnableTool:
    """``ask`` takes what stands in the user's turn and returns the reply; it raises AiroborosLongctxError with a
    sentence where there is none.

    The input holds evidence, which is foreign text: nothing in it reaches the model as a turn or a delimiter.
    """

    def answer(text: str, stopping: threading.Event) -> str:
        if not text.strip():
            raise ToolError("The question is empty; one for the model is needed.")
        return asked(ask, defuse_text(text)[0], stopping)

    return RunnableTool(
        "KnowledgeModel",
        "Question answering language model, particularly useful in answering questions based on an input passage of "
        "text. The input must be a text question that references an :evidence[n]: variable, e.g. What color is the "
        "cat, given :evidence1:?",
        answer,
        seconds,
    )
