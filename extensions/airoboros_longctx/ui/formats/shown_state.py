"""What the panel's handlers give back: the same components at every step, with the buttons that are of use then."""

from __future__ import annotations

import threading
import time
from typing import Any

from ...core.formats.plan_steps import Plan
from ...core.recipes.rolling_summary import RollingSummary
from ...plans.plan_run import PlanRun
from ...plans.progress import FAILED, STOPPED

#: A page draws more slowly than a reply can grow: drawn at every token, it would still draw what has long ended.
DRAWN_EVERY_SECONDS = 0.2


class Pace:
    """When a reply that grows is drawn again."""

    def __init__(self) -> None:
        self._due = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._due:
            return False
        self._due = now + DRAWN_EVERY_SECONDS
        return True


def busy(stopping: threading.Event, words: str, result: str, running: Any = None) -> list[Any]:
    """[stopping, running, Stop, actions, later actions, Run, Retry, Go on, words, result] while something goes on.

    ``running`` is what the page has to go on with: a plan as it was read, a plan's run, or a summary.
    """
    import gradio as gr

    hidden = gr.update(visible=False)
    return [stopping, running, gr.update(visible=True), hidden, hidden, hidden, hidden, hidden, words, result]


def idle(words: str, result: str, running: Any = None) -> list[Any]:
    """The same once it has ended."""
    import gradio as gr

    run = isinstance(running, (Plan, PlanRun))
    retry = isinstance(running, PlanRun) and any(s.state in (FAILED, STOPPED) for s in running.progress().steps)
    go_on = isinstance(running, RollingSummary) and not running.finished
    visible = [gr.update(visible=one) for one in (False, True, run or go_on, run, retry, go_on)]
    return [None, running, *visible, words, result]
