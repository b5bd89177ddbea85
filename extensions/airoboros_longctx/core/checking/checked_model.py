"""The loaded model that a check is about: what it was planned and read back to be, and how it is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..foreign_text import quoted
from ..load_status import LoadStatus
from ..ports import LoadedModel, MeasuredModel
from ..prompts.instruction_templates import DEFAULT_TEMPLATE, InstructionTemplate, instruction_template
from ..rope_scaling import RopeScaling
from .check_options import CheckError


@dataclass(frozen=True)
class CheckedModel:
    """The loaded model that a check is about. ``scaling`` is what it runs, ``window`` its confirmed one in tokens.

    ``live_model`` is None where it cannot be scaled in place.
    """

    name: str
    loader: str
    measured: MeasuredModel
    scaling: RopeScaling
    window: int
    template: InstructionTemplate
    live_model: Any = None


def checked_model(status: LoadStatus, loaded: LoadedModel, measured: MeasuredModel) -> CheckedModel:
    """The model that a host holds, with what it was planned and read back to be.

    Raises CheckError where it could not be planned, as its window is not known then, and for one served elsewhere.
    """
    plan, reading = status.plan, status.reading
    if plan is None:
        raise CheckError(f"{quoted(loaded.name)} could not be planned, so its window is not known. {status.headline}")
    if loaded.served is not None:
        raise CheckError(
            f"{quoted(loaded.name)} is served elsewhere: what it runs cannot be read or changed from here. "
            "Check it where it is loaded, with the extension in that webui or with the command check."
        )
    scaling = plan.scaling
    if reading is not None and reading.factor is not None and reading.factor >= 1:
        scaling = replace(scaling, rope_type=reading.rope_type, factor=float(f"{reading.factor:.4g}"))
    template = instruction_template(plan.instruction_template or DEFAULT_TEMPLATE)
    name = Path(loaded.name).name or loaded.name
    return CheckedModel(name, loaded.loader, measured, scaling, plan.truncation_length, template, loaded.model)
