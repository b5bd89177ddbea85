"""What the user is told about the loaded model: the plan, what the live model really runs, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .context_plan import ContextPlan
    from .rope_scaling import RopeReading


class Verdict(str, Enum):
    NO_MODEL = "no model"
    CONFIRMED = "confirmed"  # the live model runs the planned scaling
    LEFT_ALONE = "left alone"  # somebody else scales it, or there is nothing to scale and nothing to read
    WRONG = "wrong"  # the live model runs something else, or what it needs could not be applied


@dataclass(frozen=True)
class LoadStatus:
    """One line for the page (``headline``), what to do about it (``advice``), and the plan behind it."""

    verdict: Verdict
    headline: str
    advice: str = ""
    model: str = ""
    plan: ContextPlan | None = None
    reading: RopeReading | None = None


NO_MODEL_STATUS = LoadStatus(Verdict.NO_MODEL, "No model is loaded.")
