"""The last question to the model, over what the tools found: a closed-context question, as the models were trained."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..core.formats.plan_steps import Plan, needs
from ..core.prompts.closed_context import ClosedContext, Document, render
from .runnable_tool import MODEL_SECONDS, asked


@dataclass(frozen=True)
class FinalQuestion:
    """``question`` is what was asked in the beginning. ``ask`` takes a message and returns the model's reply to it,
    for which it has ``seconds``."""

    question: str
    ask: Callable[[str, threading.Event], str]
    seconds: float = MODEL_SECONDS

    def reply(self, message: str, stopping: threading.Event) -> str:
        """The model's reply. ToolError where it is empty."""
        return asked(self.ask, message, stopping)

    def message(self, plan: Plan, results: Mapping[str, str]) -> str:
        """A document for each evidence that the answer rests on, in order, with its tool; then the question.

        Nothing in the evidence can pass for the format. Evidence without text is left out; ClosedContextError where
        none has any.
        """
        needed = needs(plan, plan.answer_uses)
        documents = tuple(
            Document(results[step.evidence], (("evidence", step.evidence.strip(":")), ("tool", step.tool)))
            for step in plan.steps
            if step.evidence in needed and results.get(step.evidence, "").strip()
        )
        return render(ClosedContext(documents, self.question))
