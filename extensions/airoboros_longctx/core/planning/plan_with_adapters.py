"""A loaded model's plan while LoRAs are applied to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..capabilities import Capabilities
from ..context_plan import ContextPlan, PlanRequest, Reason
from ..mechanisms import PATCH
from ..model_facts import AdapterFacts, ModelFacts
from ..rope_scaling import spoken
from .adapter_plan import plan_adapters
from .planner import planned_context

_SCALED = ("rope_type", "factor", "original_max_position_embeddings", "max_position_embeddings", "mechanism")


def plan_with_adapters(
    plan: ContextPlan,
    facts: ModelFacts,
    adapters: Sequence[AdapterFacts],
    capabilities: Capabilities,
    request: PlanRequest,
) -> ContextPlan:
    """``plan``, made for the model alone, changed to what it must run while ``adapters`` are applied.

    The base is scaled in place, so that is only planned with a loader that builds Transformers' Llama; with another
    one the plan stays and a warning says what is needed.
    """
    if not adapters:
        return plan
    asked = plan_adapters(facts, plan, adapters)
    warnings = [*plan.warnings, *asked.warnings]
    if asked.scaling is None:
        return replace(plan, warnings=tuple(dict.fromkeys(warnings)), reasons=(*plan.reasons, *asked.reasons))
    reason, scaling = asked.reasons[0], asked.scaling
    if capabilities.mechanisms.get(plan.loader) != PATCH:
        needs = spoken(scaling.rope_type, scaling.factor)
        warnings.append(
            f"{plan.loader} cannot scale a model that is loaded, and this LoRA needs {needs}. Load {plan.model} with"
            " Transformers or AutoGPTQ before the LoRA is applied."
        )
        return replace(plan, warnings=tuple(dict.fromkeys(warnings)))
    window = scaling.max_position_embeddings
    tokens, context_reason, context_warnings = planned_context(request, window)
    kept = (one for one in plan.reasons if one.value not in (*_SCALED, "truncation_length"))
    scaled = (Reason(value, reason.because, reason.source) for value in _SCALED)
    return replace(
        plan,
        rope_type=scaling.rope_type,
        factor=scaling.factor,
        original_max_position_embeddings=scaling.original_max_position_embeddings,
        max_position_embeddings=window,
        truncation_length=tokens,
        mechanism=PATCH,
        reasons=(*scaled, context_reason, *kept),
        warnings=tuple(dict.fromkeys([*warnings, *context_warnings])),
    )
