"""Tools that do what a test tells them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from extensions.airoboros_longctx.core.formats.plan_steps import Plan
from extensions.airoboros_longctx.core.formats.rewoo_plan import PlanRequest, parse
from extensions.airoboros_longctx.plans.runnable_tool import RunnableTool, plain_tool

#: Longer than any test takes: whoever waits so long waits in vain.
LONG = 60.0


def tool(name: str, function: Callable[[str], str]) -> RunnableTool:
    return plain_tool(name, f"The tool {name}.", function)


def plan(text: str, *tools: RunnableTool) -> Plan:
    return parse(text, PlanRequest("What?", tuple(one.declared for one in tools)))


class Gate:
    """A tool that answers once ``open`` is called; ``begun`` is set when it is asked. ``asked`` are its inputs."""

    def __init__(self, name: str = "Gate", answer: str = "through") -> None:
        self.begun, self._open = threading.Event(), threading.Event()
        self.asked: list[str] = []
        self.tool = tool(name, self._call)
        self._answer = answer

    def open(self) -> None:
        self._open.set()

    def _call(self, text: str) -> str:
        self.asked.append(text)
        self.begun.set()
        assert self._open.wait(LONG)
        return self._answer
