"""``plan_context``: the one place that decides how a model is loaded and scaled. Pure: same input, same plan."""

from __future__ import annotations

from collections.abc import Iterator

from ..capabilities import Capabilities
from ..context_plan import ContextPlan, PlanRequest, Reason
from ..families import find_family
from ..model_facts import ModelFacts
from ..rope_scaling import NO_SCALING, spoken
from .loader_choice import choose_loader
from .memory_plan import memory_reasons, memory_warnings, plan_memory
from .name_suggestion import suggest_scaling
from .plan_warnings import load_warnings
from .prompt_style import prompt_style
from .scaling_decision import ScalingDecision, decide_scaling
from .scaling_mechanism import scaling_mechanism
from .weight_choice import choose_weight_file

_NO_REQUEST = PlanRequest()
_EXTENSION = "this extension"


def plan_context(facts: ModelFacts, capabilities: Capabilities, request: PlanRequest = _NO_REQUEST) -> ContextPlan:
    """Decide one load: scaling, loader, mechanism, context and prompt style, each with its reason and source.

    Whatever is unknown or contradictory becomes a warning; no input makes this fail.
    """
    decision = decide_scaling(facts, request, find_family(*facts.names))
    window = decision.max_position_embeddings
    tokens, context_reason, context_warnings = planned_context(request, window)
    in_gguf = decision.stated is not None and decision.stated is facts.gguf_scaling
    needs_scaling = decision.factor != 1 and not decision.left_to_model and not in_gguf
    choice = choose_loader(facts, capabilities, request, tokens, needs_scaling)
    mechanism = scaling_mechanism(facts, decision, choice.loader, capabilities, request)
    base = decision.original_max_position_embeddings
    if not mechanism.applied and tokens > base:
        tokens = base
        context_reason = Reason("truncation_length", "the model is not scaled, so its base window counts", _EXTENSION)
    weights, style = choose_weight_file(facts), prompt_style(facts)
    memory = plan_memory(facts, capabilities, choice.loader, tokens, window, weights.name, request.cache_type)
    suggestion = suggest_scaling(facts) if decision.stated is None else None
    architecture = _architecture_warnings(facts)
    warnings = [
        *facts.problems,
        *architecture,
        *decision.warnings,
        *mechanism.warnings,
        *choice.warnings,
        *context_warnings,
        *weights.warnings,
        *memory_warnings(memory),
        *load_warnings(facts, decision, choice.loader, tokens),
    ]
    return ContextPlan(
        model=facts.name,
        rope_type=decision.rope_type,
        factor=decision.factor,
        original_max_position_embeddings=base,
        max_position_embeddings=window,
        truncation_length=tokens,
        loader=choice.loader,
        mechanism=mechanism.mechanism,
        instruction_template=style.instruction_template,
        plainformat_separator=style.plainformat_separator,
        stop=style.stop,
        warnings=tuple(dict.fromkeys(warnings)),
        reasons=(
            *_scaling_reasons(decision),
            context_reason,
            Reason("loader", choice.because, choice.source),
            Reason("mechanism", mechanism.because, mechanism.source),
            *weights.reasons,
            *memory_reasons(memory, choice.loader),
            *style.reasons,
        ),
        suggestion=suggestion,
        weight_file=weights.name,
        memory=memory,
        function_calling=style.function_calling,
    )


def planned_context(request: PlanRequest, window: int) -> tuple[int, Reason, list[str]]:
    """``truncation_length`` in tokens, its reason, and what was wrong with the request."""
    asked = request.context_tokens
    if asked is None:
        return window, Reason("truncation_length", "the whole window, since no context was asked for", _EXTENSION), []
    if 1 <= asked <= window:
        return asked, Reason("truncation_length", f"{asked} tokens were asked for", request.context_source), []
    warning = f"A context of {asked} tokens was asked for ({request.context_source}), but the window of this model is"
    reason = Reason("truncation_length", f"the whole window; {asked} tokens were asked for", _EXTENSION)
    return window, reason, [f"{warning} {window} tokens: {window} is planned."]


def _scaling_reasons(decision: ScalingDecision) -> Iterator[Reason]:
    stated = decision.stated
    if stated is None:
        method, source = "nothing states a scaling", decision.base_source
    else:
        method, source = stated.quote, stated.source
    yield Reason("rope_type", method, source)
    yield Reason("factor", method, source)
    yield Reason("original_max_position_embeddings", decision.base_because, decision.base_source)
    base, window = decision.original_max_position_embeddings, decision.max_position_embeddings
    if decision.left_to_model:
        yield Reason("max_position_embeddings", f"{source} states {spoken(decision.rope_type, None)}", source)
    elif decision.rope_type == NO_SCALING:
        yield Reason("max_position_embeddings", "not scaled, so it is the base window", source)
    else:
        yield Reason("max_position_embeddings", f"{base} × {decision.factor:g} = {window}", source)


def _architecture_warnings(facts: ModelFacts) -> list[str]:
    if facts.model_type in (None, "llama"):
        return []
    return [f"This is a {facts.model_type} model, no Llama: it is left alone."]
