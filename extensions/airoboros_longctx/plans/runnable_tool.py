"""A tool that a plan can call: text in, text out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass

from ..core.errors import AiroborosLongctxError
from ..core.formats.rewoo_plan import Tool

#: How long a reply of the model may take: a large one on few machines is slow, and several questions wait in line.
MODEL_SECONDS = 600.0


class ToolError(AiroborosLongctxError):
    """A tool has no result for its input. The sentence is shown at the step."""


@dataclass(frozen=True)
class RunnableTool:
    """``name`` and ``description`` are what the model is told; ``call`` takes a step's input and returns its evidence.

    ``call`` runs in a thread of its own, several at a time. Its event is set once nobody waits for the result any
    more: the plan was stopped, or the step's time is over. It raises ToolError, or any AiroborosLongctxError, with a
    sentence where it has no result; whatever else it raises ends its step alone. ``seconds``: its own time limit, in
    place of the run's.
    """

    name: str
    description: str
    call: Callable[[str, threading.Event], str]
    seconds: float | None = None

    @property
    def declared(self) -> Tool:
        """The tool as a PlanRequest lists it."""
        return Tool(self.name, self.description)


def plain_tool(name: str, description: str, function: Callable[[str], str]) -> RunnableTool:
    """A tool of a function that does not ask whether somebody still waits."""
    return RunnableTool(name, description, lambda text, stopping: function(text))


def whole_reply(growing: Generator[str, None, None], stopping: threading.Event) -> str:
    """The last of ``growing``, each of which is all of the reply so far; what there is once ``stopping`` is set.

    Where it is set already, the model is asked nothing.
    """
    reply = ""
    if stopping.is_set():
        return reply
    with closing(growing):
        for so_far in growing:
            reply = so_far
            if stopping.is_set():
                break
    return reply


def asked(ask: Callable[[str, threading.Event], str], message: str, stopping: threading.Event) -> str:
    """The model's reply to ``message``. ToolError where it is empty."""
    reply = ask(message, stopping).strip()
    if not reply:
        raise ToolError("The model's reply is empty; try again.")
    return reply
