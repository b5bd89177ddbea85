"""How the decided scaling gets into the model with the chosen loader: exactly one way, or none."""

from __future__ import annotations

from dataclasses import dataclass

from ..context_plan import LOADER_SETTING, MODEL_CONFIG, NONE, PATCH, REMOTE_CODE, Capabilities, PlanRequest
from ..model_facts import ModelFacts
from ..rope_scaling import APPLICABLE_ROPE_TYPES, LINEAR, NTK, NTK_BY_PARTS, spoken
from .loader_choice import READS_CONFIG, RUNS_REMOTE_CODE
from .scaling_decision import ScalingDecision

LLAMA_HEAD_DIM, LLAMA_THETA = 128, 10000.0
_CODE_NOT_RUN = (
    "The model brings its own scaling code (auto_map in config.json). It does not run without trust_remote_code, so the"
    " model is scaled by this extension."
)


@dataclass(frozen=True)
class Mechanism:
    """``applied`` is False where the model needs a scaling that it will not get."""

    mechanism: str
    because: str
    source: str
    applied: bool = True
    warnings: tuple[str, ...] = ()


def scaling_mechanism(
    facts: ModelFacts, decision: ScalingDecision, loader: str, capabilities: Capabilities, request: PlanRequest
) -> Mechanism:
    """One mechanism for this load. Whatever already scales the model is left to do it."""
    host = f"the loaders of {capabilities.host}"
    if _brings_code(facts) and request.trust_remote_code and loader in RUNS_REMOTE_CODE and decision.factor != 1:
        because = "the model's own code scales it, and trust_remote_code lets it run"
        return Mechanism(REMOTE_CODE, because, "config.json auto_map", warnings=(f"Left alone: {because}.",))
    if not _is_applicable(facts, decision):
        return _not_ours(facts, decision, loader)
    if decision.factor == 1 and not (facts.config_scaling and loader in READS_CONFIG):
        return Mechanism(NONE, "there is nothing to scale", decision.base_source)
    if _config_does_it(facts, decision) and loader in READS_CONFIG:
        return Mechanism(MODEL_CONFIG, f"config.json states it and {loader} reads config.json", "config.json")
    way = capabilities.mechanisms.get(loader, NONE)
    if way == PATCH:
        because = f"{loader} builds Transformers' Llama, whose rotary embedding this extension scales"
        return Mechanism(PATCH, because, host, warnings=(_CODE_NOT_RUN,) if _brings_code(facts) else ())
    if way == LOADER_SETTING and decision.rope_type == NTK:
        return Mechanism(LOADER_SETTING, f"{loader} changes the rotary base by itself when it is told alpha", host)
    if way == LOADER_SETTING and decision.rope_type != NTK_BY_PARTS:
        return Mechanism(LOADER_SETTING, f"{loader} scales by itself when it is told the factor", host)
    because = f"{loader} cannot be scaled from outside in {capabilities.host}"
    if decision.rope_type == NTK_BY_PARTS:
        because = f"{loader} has no setting for {NTK_BY_PARTS} scaling"
    elif way == MODEL_CONFIG:
        because = f"{loader} takes the scaling from config.json only"
    return Mechanism(NONE, because, host, applied=False, warnings=(_unscaled(facts, decision, loader, because),))


def _brings_code(facts: ModelFacts) -> bool:
    return facts.remote_code and facts.is_llama


def _is_applicable(facts: ModelFacts, decision: ScalingDecision) -> bool:
    ours = decision.rope_type in APPLICABLE_ROPE_TYPES and not decision.left_to_model
    return ours and (decision.factor == 1 or facts.model_type in (None, "llama"))


def _config_does_it(facts: ModelFacts, decision: ScalingDecision) -> bool:
    stated = facts.config_scaling
    return stated is not None and (stated.rope_type, stated.factor) == (decision.rope_type, decision.factor)


def _not_ours(facts: ModelFacts, decision: ScalingDecision, loader: str) -> Mechanism:
    method = spoken(decision.rope_type, None)
    in_config = decision.left_to_model or (decision.rope_type == LINEAR and _config_does_it(facts, decision))
    if in_config and loader in READS_CONFIG:
        because = f"config.json states {method} scaling and {loader} runs it; this extension leaves it alone"
        return Mechanism(MODEL_CONFIG, because, "config.json")
    if decision.rope_type in APPLICABLE_ROPE_TYPES and not decision.left_to_model:
        because = f"this is a {facts.model_type} model, no Llama: it is left alone"
    elif in_config:
        because = f"config.json states {method} scaling, which {loader} does not read and this extension does not apply"
    else:
        source = decision.stated.source if decision.stated else "the model"
        because = f"{source} says {method} scaling, and this extension does not apply that method"
    limit = f"Keep to the base window of {decision.original_max_position_embeddings} tokens."
    return Mechanism(NONE, because, "this extension", applied=False, warnings=(f"Not scaled: {because}. {limit}",))


def _unscaled(facts: ModelFacts, decision: ScalingDecision, loader: str, because: str) -> str:
    advice = "Choose another loader for this model."
    if decision.rope_type == NTK_BY_PARTS:
        advice = (
            "It cannot be scaled here: use Transformers or AutoGPTQ, with unquantised or GPTQ weights. With this loader"
            f" keep to the base window of {decision.original_max_position_embeddings} tokens."
        )
    elif facts.weight_format in ("gguf", "ggml"):
        advice = (
            "Its own metadata may state the scaling, which this version does not read; if it does not, give llama.cpp"
            f" {_llama_cpp_flags(facts, decision)} as extra flags."
        )
    return f"Not scaled: {because}, and this model needs {spoken(decision.rope_type, decision.factor)}. {advice}"


def _llama_cpp_flags(facts: ModelFacts, decision: ScalingDecision) -> str:
    """NTK is another base to llama.cpp: theta × alpha^(d / (d - 2)), with Llama's theta and heads where unstated."""
    if decision.rope_type != NTK:
        return f"--rope-scaling linear --rope-scale {decision.factor:g}"
    head_dim = facts.head_dim or LLAMA_HEAD_DIM
    if facts.hidden_size and facts.num_attention_heads and facts.head_dim is None:
        head_dim = facts.hidden_size // facts.num_attention_heads
    base = (facts.rope_theta or LLAMA_THETA) * decision.factor ** (head_dim / max(1, head_dim - 2))
    return f"--rope-freq-base {round(base)}"
