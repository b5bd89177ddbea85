"""A plan that runs, as HTML: a line for each step with its state, its input and its result folded."""

from __future__ import annotations

import html

from ...plans.progress import DONE, FAILED, RUNNING, STOPPED, WAITING, PlanProgress, StepProgress
from ..documents.messages import said_html
from .result_html import text_html

_MARKS = {WAITING: "·", RUNNING: "▶", DONE: "✔", FAILED: "✘", STOPPED: "■"}
#: Less would be shown as 0.0.
_LEAST_SECONDS = 0.05


def plan_html(progress: PlanProgress) -> str:
    """The answer first where there is one, then what went wrong, then the steps."""
    answer = f'<p class="airoboros-longctx-answer">{html.escape(progress.answer)}</p>' if progress.answer else ""
    steps = "".join(map(_step_html, progress.steps))
    said = said_html(progress.problem, progress.state != STOPPED)
    return f'{answer}{said}<ol class="airoboros-longctx-steps">{steps}</ol>'


def _step_html(step: StepProgress) -> str:
    seconds = f" · {step.seconds:.1f} s" if step.seconds >= _LEAST_SECONDS else ""
    role = ' role="alert"' if step.state == FAILED else ""  # that it was stopped is no news to who stopped it
    problem = f"<p{role}>{html.escape(step.problem)}</p>" if step.problem else ""
    result = f"<details><summary>Result</summary>{text_html(step.result)}</details>" if step.result else ""
    thought = f" {html.escape(step.thought)}" if step.thought else ""
    return (
        f'<li class="{step.state}"><span aria-hidden="true">{_MARKS[step.state]}</span> '
        f"<b>{html.escape(step.evidence)}</b>{thought} <small>{step.state}{seconds}</small>"
        f"<details><summary><code>{html.escape(step.tool)}</code></summary>{text_html(step.input)}</details>"
        f"{problem}{result}</li>"
    )
