"""A tool that a plan can call: text in, text out."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeAlias

from ..core.errors import AiroborosLongctxError
from ..core.formats.rewoo_plan import Tool

#: Asked by a tool now and then while it works; True: nobody waits for its result any more.
Cancelled: TypeAlias = Callable[[], bool]
#: How long a reply of the model may take: a large one on few machines is slow, and several questions wait in line.
MODEL_SECONDS = 600.0


class ToolError(AiroborosLongctxError):
    """A tool has no result for its input. The sentence is shown at the step."""


@dataclass(frozen=True)
class RunnableTool:
    """``name`` and ``description`` are what the model is told; ``call`` takes a step's input and returns its evidence.

    ``call`` runs in a thread of its own, several at a time. It raises ToolError, or any AiroborosLongctxError, with a
    sentence where it has no result; whatever else it raises ends its step alone. ``seconds``: its own time limit, in
    place of the run's.
    """

    name: str
    description: str
    call: Callable[[str, Cancelled], str]
    seconds: float | None = None

    @property
    def declared(self) -> Tool:
        """The tool as a PlanRequest lists it."""
        return Tool(self.name, self.description)


def plain_tool(name: str, description: str, function: Callable[[str], str]) -> RunnableTool:
    """A tool of a function that does not ask whether somebody still waits."""
    return RunnableTool(name, description, lambda text, cancelled: function(text))


def whole_reply(growing: Generator[str, None, None], cancelled: Cancelled) -> str:
    """The last of ``growing``, each of which is all of the reply so far; what there is once ``cancelled`` says so."""
    reply = ""
    with closing(growing):
        for so_far in growing:
            reply = so_far
            if cancelled():
                break
    return reply


def asked(ask: Callable[[str, Cancelled], str], message: str, cancelled: Cancelled) -> str:
    """The model's reply to ``message``. ToolError where it is empty."""
    reply = ask(message, cancelled).strip()
    if not reply:
        raise ToolError("The model's reply is empty; try again.")
    return reply
