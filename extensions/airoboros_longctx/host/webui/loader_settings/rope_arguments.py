"""The webui's own RoPE arguments for a plan, by the loaders that read them. Values are set, never multiplied.

Linear scaling is ``compress_pos_emb``, the factor; NTK is ``alpha_value``, and one of the two is always neutral.
"""

from __future__ import annotations

from typing import Any

from ....core.context_plan import ContextPlan
from ....core.ports import Undo
from ....core.rope_scaling import LINEAR, NTK
from .load import Load, set_attributes, whole
from .rope_shape import LLAMA, RopeShape, rope_shape

NEUTRAL: dict[str, Any] = {"compress_pos_emb": 1, "alpha_value": 1}


def own_knobs(plan: ContextPlan) -> dict[str, Any]:
    """For ExLlama and ExLlamav2, which multiply the base themselves; a base given beside alpha would replace it."""
    if plan.rope_type == LINEAR:
        return {**NEUTRAL, "compress_pos_emb": whole(plan.factor)}
    if plan.rope_type == NTK:
        return {**NEUTRAL, "alpha_value": whole(plan.factor), "rope_freq_base": 0}
    return {}


def llama_cpp_knobs(plan: ContextPlan, args: Any, shape: RopeShape = LLAMA) -> dict[str, Any]:
    """For llama.cpp, to which the webui hands a base, a whole number: the oldest releases alone read alpha itself."""
    if plan.rope_type == NTK and hasattr(args, "rope_freq_base"):
        return {**NEUTRAL, "rope_freq_base": round(shape.base(plan.factor))}
    return own_knobs(plan)


def use_own_knobs(load: Load) -> Undo:
    return set_attributes(load.args, own_knobs(load.plan))


def use_llama_cpp_knobs(load: Load) -> Undo:
    return set_attributes(load.args, llama_cpp_knobs(load.plan, load.args, rope_shape(load.path)))


def leave_knobs_neutral(load: Load) -> Undo:
    """Where the model is scaled another way, the loader must not scale it once more."""
    return set_attributes(load.args, NEUTRAL)
