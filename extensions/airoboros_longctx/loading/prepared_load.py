"""What is set for a load that is about to happen, and taken back when the loader returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.mechanisms import PATCH
from ..core.ports import Host, Rope, Undo
from .guarded_steps import GuardedSteps, failure

if TYPE_CHECKING:
    from ..core.context_plan import ContextPlan


@dataclass
class PendingLoad:
    """A load under way: its plan, what has to be taken back, and what of the preparation failed, as a sentence."""

    plan: ContextPlan
    undo: list[Undo] = field(default_factory=list)
    problem: str = ""


def prepare_load(plan: ContextPlan, host: Host, rope: Rope) -> PendingLoad:
    """Patch the classes of the model where ``plan`` says so, and hand it to the loader's own settings."""
    pending = PendingLoad(plan)
    try:
        if plan.mechanism == PATCH and plan.factor != 1.0:
            pending.undo.append(rope.patch_classes(plan.scaling))
        pending.undo.append(host.use_loader_settings(plan))
    except Exception as error:
        pending.problem = failure("prepare the load", error)
    return pending


def take_back(pending: PendingLoad, steps: GuardedSteps) -> None:
    """The last thing first. The next model must not see what was prepared for this one."""
    while pending.undo:
        steps.run("undo what was prepared for the load", pending.undo.pop())
