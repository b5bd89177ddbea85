"""Running a plan: steps that wait for nothing side by side, each within its limits; stop, retry, and the answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted
from ..core.formats.plan_steps import Plan, dependents, needs
from .final_question import FinalQuestion
from .plan_ending import ending
from .plan_node import Attempt, PlanNode, plan_nodes
from .progress import DONE, FAILED, FINAL_QUESTION, RUNNING, STOPPED, WAITING, PlanProgress
from .run_options import RunOptions
from .runnable_tool import RunnableTool
from .step_calls import Outcome, call_tool
from .tool_threads import TOOL_THREADS, ToolThreads

_OPTIONS = RunOptions()


class PlanRunError(AiroborosLongctxError):
    """Something asked of a plan that cannot be done now."""


class PlanRun:
    """One plan with the tools it may call. Every method may be called from any thread, and none waits for a tool.

    ``final``: the last question to the model, over the evidence, in place of the evidence itself as the answer.
    Raises PlanRunError for a plan of more steps than ``options`` allow.
    """

    def __init__(
        self,
        plan: Plan,
        tools: Sequence[RunnableTool],
        options: RunOptions = _OPTIONS,
        final: FinalQuestion | None = None,
        threads: ToolThreads = TOOL_THREADS,
    ) -> None:
        if len(plan.steps) > options.most_steps:
            raise PlanRunError(
                f"The plan has {len(plan.steps):,} steps; at most {options.most_steps} are run. Ask for a shorter one."
            )
        self.plan, self._options, self._threads = plan, options, threads
        self._tools = {tool.name: tool for tool in tools}
        self._nodes = plan_nodes(plan, self._tools, final, options)
        self._changed = threading.Condition()
        self._changes = 0
        self._state = WAITING
        self._answer = self._problem = ""
        self._conductor: threading.Thread | None = None

    def start(self) -> None:
        """Begin. PlanRunError where it has begun already."""
        with self._changed:
            if self._state != WAITING:
                raise PlanRunError("The plan has begun already; retry what is not done.")
            self._conduct()

    def stop(self) -> None:
        """End every step that is not done; the results of tools that still run are dropped."""
        with self._changed:
            if self._state not in (WAITING, RUNNING):
                return
            self._stop_steps()
            self._end(STOPPED, "The plan was stopped.")

    def retry(self, evidence: str | None = None) -> None:
        """Run the failed or stopped step of ``evidence`` again, with what it needs and what depends on it.

        What is done is kept. None: everything that is not done. PlanRunError where there is nothing to retry.
        """
        with self._changed:
            again = [one for one in self._again(evidence) if self._nodes[one].state in (FAILED, STOPPED)]
            if evidence is not None and evidence not in again:
                raise PlanRunError(
                    f"{evidence} is {self._nodes[evidence].state}; a step that failed or was stopped is needed."
                )
            if not again:
                raise PlanRunError("No step failed or was stopped; there is nothing to retry.")
            for one in again:
                self._nodes[one].reset()
            self._answer = self._problem = ""
            self._conduct()

    def progress(self) -> PlanProgress:
        """How far it is."""
        with self._changed:
            steps = tuple(node.progress() for node in self._nodes.values())
            return PlanProgress(self._state, steps, self._answer, self._problem, self._changes)

    def wait_for_change(self, seen: PlanProgress, seconds: float) -> PlanProgress:
        """The progress as soon as it is another than ``seen``, or the plan has ended, or ``seconds`` have passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._changes != seen.changes or self._state != RUNNING, seconds)
            return self.progress()

    def wait(self, seconds: float | None = None) -> PlanProgress:
        """The progress at the end, or after ``seconds``."""
        with self._changed:
            self._changed.wait_for(lambda: self._state not in (WAITING, RUNNING), seconds)
            return self.progress()

    # -- under the lock -----------------------------------------------------------------------------------------------

    def _again(self, evidence: str | None) -> list[str]:
        if evidence is None:
            return list(self._nodes)
        if evidence not in self._nodes:
            raise PlanRunError(f"{evidence} is no step of the plan; {', '.join(self._nodes)} are.")
        if evidence == FINAL_QUESTION:
            return [*needs(self.plan, self.plan.answer_uses), FINAL_QUESTION]
        return [*needs(self.plan, [evidence]), *dependents(self.plan, evidence), *self._final()]

    def _final(self) -> list[str]:
        return [FINAL_QUESTION] if FINAL_QUESTION in self._nodes else []

    def _conduct(self) -> None:
        self._state = RUNNING
        self._note_change()
        if self._conductor is None:
            self._conductor = threading.Thread(target=self._run, name="plan", daemon=True)
            try:
                self._conductor.start()
            except RuntimeError as error:  # the system has no thread left
                self._conductor = None
                self._break_off(error)

    def _note_change(self) -> None:
        self._changes += 1
        self._changed.notify_all()

    def _end(self, state: str, problem: str) -> None:
        self._state, self._problem = state, problem
        self._note_change()

    def _stop_steps(self) -> None:
        for node in self._nodes.values():
            if node.state in (WAITING, RUNNING):
                node.stop("It was stopped.")

    def _break_off(self, error: Exception) -> None:
        self._stop_steps()
        self._end(FAILED, f"The plan could not go on: {type(error).__name__}: {quoted(error)}")

    def _run(self) -> None:
        """Begin what can begin and end what is over its time, until nothing can go on."""
        with self._changed:
            try:
                while self._state == RUNNING:
                    self._end_overdue()
                    self._begin_ready()
                    attempts = [node.attempt for node in self._nodes.values() if node.attempt is not None]
                    if attempts:
                        self._changed.wait(max(0.0, min(attempt.seconds_left for attempt in attempts)))
                    else:
                        self._conclude()
            except Exception as error:  # whoever waits for the end is told
                self._break_off(error)
            finally:
                self._conductor = None

    def _end_overdue(self) -> None:
        for node in self._nodes.values():
            if node.attempt is not None and node.attempt.seconds_left <= 0:
                name, seconds = node.tool.name if node.tool else "", node.attempt.seconds
                node.end(
                    Outcome(problem=f"{name} took longer than {seconds:g} seconds and was left; its result is dropped.")
                )
                self._note_change()

    def _begin_ready(self) -> None:
        results = {name: node.shown.result for name, node in self._nodes.items() if node.state == DONE}
        for name, node in self._nodes.items():
            if node.state != WAITING:
                continue
            lost = next((one for one in node.uses if self._nodes[one].state in (FAILED, STOPPED)), None)
            if lost is not None:
                node.stop(f"It needs {lost}, which {self._nodes[lost].state.replace('stopped', 'was stopped')}.")
                self._note_change()
            elif all(one in results for one in node.uses) and self._running() < self._options.side_by_side:
                self._begin(name, node, results)

    def _running(self) -> int:
        return sum(node.attempt is not None for node in self._nodes.values())

    def _begin(self, name: str, node: PlanNode, results: dict[str, str]) -> None:
        self._note_change()
        if node.tool is None:
            there = ", ".join(self._tools) or "none"
            node.end(Outcome(problem=f"The tool {node.shown.tool} is not there; there is {there}."))
            return
        try:
            text = node.make_input(results)
        except AiroborosLongctxError as error:
            node.end(Outcome(problem=str(error)))
            return
        tool = node.tool
        attempt = node.begin(text, self._options.step_seconds if tool.seconds is None else tool.seconds)

        def work() -> None:
            outcome = call_tool(tool, text, attempt.dropped, self._options)
            self._take(node, attempt, outcome)

        if not self._threads.start(work, f"plan {name}"):
            node.end(
                Outcome(
                    problem=f"{self._threads.most} tools are still running, some of them past their time; try again "
                    "when they have ended."
                )
            )

    def _take(self, node: PlanNode, attempt: Attempt, outcome: Outcome) -> None:
        with self._changed:
            if node.attempt is attempt:
                node.end(outcome)
                self._note_change()

    def _conclude(self) -> None:
        state, self._answer, problem = ending(self.plan, self._nodes, self._options)
        self._end(state, problem)
