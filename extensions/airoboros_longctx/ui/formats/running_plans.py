"""The panel's buttons of a plan: run it, run again what failed, stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...core.documents.chat_session import ChatSession
from ...core.formats.errors import FormatError
from ...core.formats.plan_steps import Plan
from ...core.settings import Settings
from ...plans.plan_run import PlanRun
from ...plans.progress import RUNNING
from ...plans.run_options import RunOptions
from ..documents.messages import note_html, said_html, sentence_of
from .leaving import Stopping
from .page_tools import PageTools
from .plan_html import plan_html
from .shown_state import busy, idle

#: How long a page waits before it shows a plan's seconds again, while nothing else happens.
_LOOK_EVERY_SECONDS = 1.0

ToolsOfPage = Callable[[ChatSession | None, Sequence[Any]], PageTools]


class RunningPlans:
    """The handlers yield as ``shown_state.busy`` says. ``tools`` are those of a page: its session, its values."""

    def __init__(self, settings: Settings, tools: ToolsOfPage) -> None:
        self._settings = settings
        self._tools = tools

    def on_run(self, running: Any, session: ChatSession | None, *page: Any) -> Iterator[list[Any]]:
        """Run the page's plan from its beginning."""
        try:
            plan = running.plan if isinstance(running, PlanRun) else running
            if not isinstance(plan, Plan):
                raise FormatError("There is no plan; ask for one first.")
            tools = self._tools(session, page).available()
            run = PlanRun(plan, tools.tools, RunOptions(step_seconds=self._settings.plan_step_seconds))
            run.start()
        except Exception as error:
            yield idle(said_html(sentence_of(error, "The plan could not run"), True), "", running)
            return
        yield from self._follow(run, " ".join(tools.problems))

    def on_retry(self, running: Any) -> Iterator[list[Any]]:
        """Run again what failed or was stopped; what is done is kept."""
        try:
            if not isinstance(running, PlanRun):
                raise FormatError("The plan has not run yet; run it first.")
            running.retry()
        except Exception as error:
            shown = plan_html(running.progress()) if isinstance(running, PlanRun) else ""
            yield idle(said_html(sentence_of(error, "The plan could not run again"), True), shown, running)
            return
        yield from self._follow(running, "")

    def _follow(self, run: PlanRun, words: str) -> Iterator[list[Any]]:
        stopping, progress, said = Stopping(), run.progress(), said_html(words, True)
        while progress.state == RUNNING:
            yield busy(stopping, said or note_html("The plan runs."), plan_html(progress), run)
            progress = run.wait_for_change(progress, _LOOK_EVERY_SECONDS)
        yield idle(said, plan_html(progress), run)

    def on_leave(self, stopping: Stopping | None, running: Any) -> None:
        """Stop it, and show nothing more of it: the page shows another form."""
        if stopping is not None:
            stopping.left = True
        self.on_stop(stopping, running)

    def on_stop(self, stopping: Stopping | None, running: Any) -> None:
        """Stop whatever the page waits for."""
        if stopping is not None:
            stopping.set()
        if isinstance(running, PlanRun):
            running.stop()
