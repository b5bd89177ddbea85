"""How the decided scaling gets into the model with the chosen loader: exactly one way, or none."""

from __future__ import annotations

from dataclasses import dataclass

from ..capabilities import Capabilities
from ..context_plan import PlanRequest
from ..mechanisms import LOADER_SETTING, MODEL_CONFIG, NONE, PATCH, REMOTE_CODE
from ..model_facts import ModelFacts, ScalingStatement
from ..rope_scaling import (
    APPLICABLE_ROPE_TYPES,
    LINEAR,
    LLAMA_HEAD_DIM,
    LLAMA_ROPE_THETA,
    NO_SCALING,
    NTK,
    NTK_BY_PARTS,
    ntk_base,
    spoken,
)
from .loader_choice import READS_CONFIG, READS_GGUF, RUNS_REMOTE_CODE
from .scaling_decision import ScalingDecision

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
    way = capabilities.mechanisms.get(loader, NONE)
    in_gguf = facts.gguf_scaling if loader in READS_GGUF else None
    if in_gguf is not None and (_is_that(in_gguf, decision) or way != LOADER_SETTING or decision.factor == 1):
        return _gguf_does_it(facts, in_gguf, decision, loader)
    if not _is_applicable(facts, decision):
        return _not_ours(facts, decision, loader)
    if decision.factor == 1 and not (facts.config_scaling and loader in READS_CONFIG):
        return Mechanism(NONE, "there is nothing to scale", decision.base_source)
    if _config_does_it(facts, decision) and loader in READS_CONFIG:
        return Mechanism(MODEL_CONFIG, f"config.json states it and {loader} reads config.json", "config.json")
    if way == PATCH:
        because = f"{loader} builds Transformers' Llama, whose rotary embedding this extension scales"
        return Mechanism(PATCH, because, host, warnings=(_CODE_NOT_RUN,) if _brings_code(facts) else ())
    if way == LOADER_SETTING and decision.rope_type != NTK_BY_PARTS:
        because = f"{loader} scales by itself when it is told the factor"
        if decision.rope_type == NTK:
            because = f"{loader} changes the rotary base by itself when it is told alpha"
        if in_gguf is not None:
            because += "; its setting replaces the GGUF file's own factor and is never added to it"
        return Mechanism(LOADER_SETTING, because, host)
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
    return stated is not None and _is_that(stated, decision)


def _is_that(stated: ScalingStatement, decision: ScalingDecision) -> bool:
    return (stated.rope_type, stated.factor or 1.0) == (decision.rope_type, decision.factor)


def _gguf_does_it(facts: ModelFacts, stated: ScalingStatement, decision: ScalingDecision, loader: str) -> Mechanism:
    """llama.cpp runs what the file states, unless it is told a factor: some releases always tell it one.

    A release of that kind is told the same one by the room that knows the host. A plan that differs, where nobody can
    hand it on, is a warning.
    """
    if _is_that(stated, decision):
        because = f"the GGUF's own metadata states it and {loader} applies it"
        return Mechanism(MODEL_CONFIG, because, stated.source)
    in_file = spoken(stated.rope_type, stated.factor)
    because = f"{loader} applies the {in_file} of the GGUF's own metadata, and its setting cannot be reached here"
    flags = _llama_cpp_flags(facts, decision)
    advice = f"To run {spoken(decision.rope_type, decision.factor)} instead, give llama.cpp {flags} as extra flags."
    warning = f"Not scaled as planned: {because}. {advice}"
    return Mechanism(NONE, because, stated.source, applied=False, warnings=(warning,))


def _not_ours(facts: ModelFacts, decision: ScalingDecision, loader: str) -> Mechanism:
    method = spoken(decision.rope_type, None)
    source = decision.stated.source if decision.stated else "the model"
    in_config = decision.left_to_model or (decision.rope_type == LINEAR and _config_does_it(facts, decision))
    if in_config and loader in READS_CONFIG:
        because = f"config.json states {method} scaling and {loader} runs it; this extension leaves it alone"
        return Mechanism(MODEL_CONFIG, because, "config.json")
    if decision.rope_type in APPLICABLE_ROPE_TYPES and not decision.left_to_model:
        because = f"this is a {facts.model_type} model, no Llama: it is left alone"
    elif in_config:
        because = f"{source} states {method} scaling, which {loader} does not read and this extension does not apply"
    else:
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
        metadata = "Its own metadata does not state it" if facts.gguf else "Its own metadata is not known here"
        advice = f"{metadata}: give llama.cpp {_llama_cpp_flags(facts, decision)} as extra flags."
    return f"Not scaled: {because}, and this model needs {spoken(decision.rope_type, decision.factor)}. {advice}"


def _llama_cpp_flags(facts: ModelFacts, decision: ScalingDecision) -> str:
    """NTK is another base to llama.cpp: theta × alpha^(d / (d - 2)), with Llama's theta and heads where unstated."""
    if decision.rope_type == NO_SCALING:
        return "--rope-scaling none"
    if decision.rope_type != NTK:
        return f"--rope-scaling linear --rope-scale {decision.factor:g}"
    head_dim = facts.dimension_of_a_head or LLAMA_HEAD_DIM
    base = ntk_base(facts.rope_theta or LLAMA_ROPE_THETA, decision.factor, head_dim)
    return f"--rope-freq-base {round(base)}"
