"""The scaling of a model that is loaded: reading it back, and applying it in place where the load missed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.errors import RopeScalingError
from ..core.mechanisms import LOADER_SETTING, PATCH
from ..core.ports import Host, Rope, Undo
from .guarded_steps import GuardedSteps, failure

if TYPE_CHECKING:
    from ..core.context_plan import ContextPlan
    from ..core.rope_scaling import RopeReading


class LiveModel:
    """Reads and scales one model at a time; holds none itself, only the way back from a scaling."""

    def __init__(self, host: Host, rope: Rope, steps: GuardedSteps) -> None:
        self._host = host
        self._rope = rope
        self._steps = steps
        self._undo: Undo | None = None  # holds the model weakly

    def read(self, plan: ContextPlan, model: Any) -> tuple[RopeReading | None, str]:
        """What ``model`` runs, by its rotary embedding or else by its loader; or why nobody can say."""
        try:
            return self._rope.read(model, plan.scaling), ""
        except RopeScalingError as error:
            told = self._steps.run("ask the loader", lambda: self._host.read_loader(plan, model))
            return told, "" if told is not None else str(error)
        except Exception as error:
            return None, failure("read the model back", error)

    def confirm(self, plan: ContextPlan, model: Any, problem: str = "") -> tuple[RopeReading | None, str]:
        """As ``read``, after ``model`` was scaled in place where ``plan`` is ours to apply and the load missed it.

        ``problem`` is what went wrong before, and is said first unless scaling fails now.
        """
        reading, unreadable = self.read(plan, model)
        if plan.mechanism == PATCH and reading is not None and not reading.agrees_with(plan.scaling):
            try:
                self._undo = self._rope.scale_live(model, plan.scaling)
                reading, unreadable = self.read(plan, model)
            except Exception as error:
                problem = failure("scale the loaded model", error)
        return reading, problem or unreadable

    def lacks(self, plan: ContextPlan, model: Any) -> str:
        """What only its loader could have given ``model``, in words; empty where nothing is known to be missing."""
        reading = self.read(plan, model)[0] if plan.mechanism == LOADER_SETTING else None
        if reading is None:
            return ""
        if not reading.agrees_with(plan.scaling):
            return "its scaling"
        return "" if reading.reaches(plan.truncation_length) else f"room for {plan.truncation_length} tokens"

    def undo_scaling(self) -> None:
        """A model that stays while its LoRAs change is as it was loaded, before it is looked at again."""
        if self._undo is not None:
            self._steps.run("undo the scaling of the loaded model", self._undo)
        self._undo = None

    def forget(self) -> None:
        """The model is gone, or is another one: there is nothing to go back to."""
        self._undo = None
