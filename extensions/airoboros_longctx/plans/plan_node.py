"""A step while its plan runs. Only PlanRun changes one, under its lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ..core.formats.plan_steps import Plan
from .final_question import FinalQuestion
from .progress import DONE, FAILED, FINAL_QUESTION, RUNNING, STOPPED, WAITING, StepProgress
from .run_options import RunOptions
from .runnable_tool import RunnableTool
from .step_calls import Outcome, tool_input


class Attempt:
    """One call of a step's tool. ``dropped`` is set once nobody waits for it any more."""

    def __init__(self, seconds: float) -> None:
        self.begun = time.monotonic()
        self.seconds = seconds
        self.dropped = threading.Event()

    @property
    def seconds_left(self) -> float:
        return self.begun + self.seconds - time.monotonic()


@dataclass
class PlanNode:
    """``written`` is its input before the evidence is put in, which ``make_input`` does; that raises
    AiroborosLongctxError where it cannot. ``tool`` None: there is no tool of that name. ``attempt`` is there while the
    step runs."""

    shown: StepProgress
    written: str
    uses: tuple[str, ...]
    tool: RunnableTool | None
    make_input: Callable[[Mapping[str, str]], str]
    attempt: Attempt | None = None

    @property
    def state(self) -> str:
        return self.shown.state

    def reset(self) -> None:
        """Waiting again, as if it had never begun."""
        self._end_attempt()
        self.shown = replace(self.shown, state=WAITING, input=self.written, result="", problem="", seconds=0.0)

    def begin(self, text: str, seconds: float) -> Attempt:
        self.attempt = Attempt(seconds)
        self.shown = replace(self.shown, state=RUNNING, input=text)
        return self.attempt

    def end(self, outcome: Outcome) -> None:
        """Done with a result, or failed with a problem."""
        self._end_attempt()
        state = FAILED if outcome.problem else DONE
        self.shown = replace(self.shown, state=state, result=outcome.result, problem=outcome.problem)

    def stop(self, problem: str) -> None:
        self._end_attempt()
        self.shown = replace(self.shown, state=STOPPED, problem=problem)

    def progress(self) -> StepProgress:
        if self.attempt is None:
            return self.shown
        return replace(self.shown, seconds=time.monotonic() - self.attempt.begun)

    def _end_attempt(self) -> None:
        if self.attempt is not None:
            self.attempt.dropped.set()
            self.shown = replace(self.shown, seconds=time.monotonic() - self.attempt.begun)
            self.attempt = None


def plan_nodes(
    plan: Plan, tools: Mapping[str, RunnableTool], final: FinalQuestion | None, options: RunOptions
) -> dict[str, PlanNode]:
    """The steps by their evidence, in order; the final question, which needs what the answer names, comes last."""
    nodes = {}
    for step in plan.steps:
        shown = StepProgress(step.evidence, step.thought, step.tool, WAITING, step.input)
        make_input = partial(tool_input, plan, step, options)
        nodes[step.evidence] = PlanNode(shown, step.input, step.uses, tools.get(step.tool), make_input)
    if final is not None:
        tool = RunnableTool(FINAL_QUESTION, "", final.reply, final.seconds)
        shown = StepProgress(FINAL_QUESTION, "", "", WAITING, final.question)
        make_input = partial(final.message, plan)
        nodes[FINAL_QUESTION] = PlanNode(shown, final.question, plan.answer_uses, tool, make_input)
    return nodes
