"""What the loaded model gives to the host's settings, and what is withdrawn when the model goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.ports import Host, Undo
from .guarded_steps import GuardedSteps

if TYPE_CHECKING:
    from ..core.context_plan import ContextPlan


class GivenToHost:
    """The window and the instruction template of one model at a time."""

    def __init__(self, host: Host, steps: GuardedSteps) -> None:
        self._host = host
        self._steps = steps
        self._window: Undo | None = None
        self._template: Undo | None = None

    def give(self, plan: ContextPlan, confirmed: bool) -> None:
        """Replace what was given before. The window of a model is given once its scaling is ``confirmed``."""
        self.withdraw()
        if confirmed and plan.factor != 1.0:
            self._window = self._steps.run("give the window to the host", lambda: self._host.use_window(plan))
        if plan.instruction_template is not None:
            self._template = self._steps.run(
                "give the instruction template to the host", lambda: self._host.use_template(plan)
            )

    def withdraw(self) -> None:
        """The host has its own window and template again."""
        window, template = self._window, self._template
        self._window = self._template = None
        if window is not None:
            self._steps.run("withdraw the window", window)
        if template is not None:
            self._steps.run("withdraw the instruction template", template)
