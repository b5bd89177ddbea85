"""A plan that runs, followed on standard error."""

from __future__ import annotations

import sys

from ..core.foreign_text import quoted
from ..plans.plan_run import PlanRun
from ..plans.progress import RUNNING, WAITING, PlanProgress, StepProgress

_SHOWN = 100
_LOOK_EVERY_SECONDS = 0.5


def watched(plan_run: PlanRun) -> PlanProgress:
    """Run it to its end, each change of a step a line on standard error; Ctrl+C stops it."""
    seen = plan_run.progress()
    told: dict[str, str] = {}
    plan_run.start()
    while True:
        try:
            seen = plan_run.wait_for_change(seen, _LOOK_EVERY_SECONDS)
        except KeyboardInterrupt:
            plan_run.stop()
            seen = plan_run.progress()
        for step in seen.steps:
            if step.state != told.get(step.evidence, WAITING):
                told[step.evidence] = step.state
                print(_line(step), file=sys.stderr, flush=True)
        if seen.state != RUNNING:
            return seen


def _line(step: StepProgress) -> str:
    if step.state == RUNNING:
        given = f"{step.tool}[{quoted(step.input, _SHOWN)}]" if step.tool else quoted(step.input, _SHOWN)
        return f"{step.evidence} running: {given}"
    took = f" after {step.seconds:.1f} s" if step.seconds else ""
    return f"{step.evidence} {step.state}{took}: {quoted(step.problem or step.result, _SHOWN)}"
