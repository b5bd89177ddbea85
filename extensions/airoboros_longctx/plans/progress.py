"""How far a plan is: plain, unchanging data for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"
#: Names the last question to the model, where there is one, among the steps.
FINAL_QUESTION = "Answer"


@dataclass(frozen=True)
class StepProgress:
    """One step. ``input`` has its evidence put in once the step has begun; before that it is as the model wrote it.

    ``result`` is the evidence of a step that is done, ``problem`` a sentence for one that failed or was stopped,
    ``seconds`` how long it has run, 0.0 before it begins.
    """

    evidence: str
    thought: str
    tool: str
    state: str
    input: str
    result: str = ""
    problem: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class PlanProgress:
    """``state`` is RUNNING while a step can go on; then DONE with an ``answer``, or FAILED or STOPPED.

    ``problem`` is a sentence for the last two; a failed plan may have an ``answer`` too. ``changes`` counts what
    happened: two with the same number differ in nothing but seconds.
    """

    state: str
    steps: tuple[StepProgress, ...]
    answer: str = ""
    problem: str = ""
    changes: int = 0

    def step(self, evidence: str) -> StepProgress:
        """The step of ``evidence``; KeyError where there is none."""
        for step in self.steps:
            if step.evidence == evidence:
                return step
        raise KeyError(evidence)
