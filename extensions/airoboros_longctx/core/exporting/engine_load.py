"""A plan in the words that every engine shares, whoever's loader it was made for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ..context_plan import ContextPlan
from ..errors import AiroborosLongctxError
from ..foreign_text import quoted
from ..mechanisms import MODEL_CONFIG, NONE, REMOTE_CODE
from ..model_facts import ModelFacts
from ..rope_scaling import LINEAR, LLAMA_ROPE_THETA, NO_SCALING, NTK, ntk_base

#: The model's own files state the method and the engine reads them: no option is given for it.
FROM_FILES = "from_files"


class ExportError(AiroborosLongctxError):
    """A plan that an engine's options cannot express."""


@dataclass(frozen=True)
class EngineLoad:
    """One load for an engine of its own. Windows are in tokens.

    ``method`` is LINEAR (every position divided by ``factor``), NTK (``rope_theta`` is the raised base, ``alpha``
    what raised it), NO_SCALING, or FROM_FILES. ``context_tokens`` is the part of the window that is wanted.
    ``model_file`` is a GGUF or GGML model's file, ``template`` the name of an instruction template.
    """

    model_path: str
    model_file: str | None
    weight_format: str | None
    method: str
    factor: float
    alpha: float
    rope_theta: float
    original_max_position_embeddings: int
    max_position_embeddings: int
    context_tokens: int
    template: str | None
    stop: tuple[str, ...]
    gpus: int = 1
    nodes: int = 1


def engine_load(plan: ContextPlan, facts: ModelFacts, gpus: int = 1, nodes: int = 1) -> EngineLoad:
    """``plan`` for an engine on ``gpus`` GPUs in each of ``nodes`` machines. Raises ExportError."""
    _check_machines(facts, gpus, nodes)
    method = _method(plan, facts)
    factor = plan.factor if method in (LINEAR, NTK) else 1.0
    if not (math.isfinite(factor) and factor >= 1):
        raise ExportError(f"The plan's factor is {factor!r}; a finite number of 1 or more is needed.")
    theta = LLAMA_ROPE_THETA if facts.rope_theta is None else facts.rope_theta
    return EngineLoad(
        model_path=_one_word(facts.path),
        model_file=_model_file(plan, facts),
        weight_format=facts.weight_format,
        method=method,
        factor=factor if method == LINEAR else 1.0,
        alpha=factor if method == NTK else 1.0,
        rope_theta=_raised(theta, factor, facts) if method == NTK else theta,
        original_max_position_embeddings=plan.original_max_position_embeddings,
        max_position_embeddings=plan.max_position_embeddings,
        context_tokens=plan.truncation_length,
        template=plan.instruction_template,
        stop=plan.stop,
        gpus=gpus,
        nodes=nodes,
    )


def _method(plan: ContextPlan, facts: ModelFacts) -> str:
    if plan.mechanism == REMOTE_CODE:
        raise ExportError("The model's own code scales it (auto_map in config.json); no engine's options do the same.")
    if plan.rope_type in (LINEAR, NTK) and facts.model_type not in (None, "llama"):
        if plan.mechanism == MODEL_CONFIG:
            return FROM_FILES
        raise ExportError(f"This is a {quoted(facts.model_type)} model, no Llama: its scaling is not exported.")
    if plan.rope_type == NTK and plan.mechanism in (NONE, MODEL_CONFIG):
        reason = plan.reason_for("mechanism")
        raise ExportError(
            f"The model needs NTK scaling, and its plan has none{f': {reason.because}' if reason else ''}."
        )
    if plan.rope_type == NO_SCALING and facts.config_scaling is not None:
        return LINEAR  # ×1, said aloud: config.json states another scaling, which the plan overrules
    if plan.rope_type in (LINEAR, NTK, NO_SCALING):
        return plan.rope_type
    if plan.mechanism == MODEL_CONFIG:
        return FROM_FILES
    spoken = "partial NTK" if plan.rope_type == "ntk_by_parts" else quoted(plan.rope_type)
    raise ExportError(
        f"The model needs {spoken} scaling, and no engine has an option that computes it as the model was trained."
    )


def _raised(rope_theta: float, alpha: float, facts: ModelFacts) -> float:
    """NTK's base frequency, rope_theta × alpha^(d / (d − 2)) (u/bloc97, r/LocalLLaMA 14lz7j5, June 2023)."""
    head_dim = facts.dimension_of_a_head
    if head_dim is None or head_dim <= 2:
        raise ExportError(
            "NTK's base frequency needs the model's head_dim, and its files do not say it; plan the folder with the"
            " model's config.json."
        )
    try:
        raised = ntk_base(rope_theta, alpha, head_dim)
    except OverflowError:
        raised = math.inf
    if not math.isfinite(raised):
        raise ExportError(f"NTK with alpha {alpha:g} raises the base frequency {rope_theta:g} beyond every number.")
    return raised


def _model_file(plan: ContextPlan, facts: ModelFacts) -> str | None:
    """The weight file of a GGUF or GGML model: the planned one, else the first by name (a split model's first part)."""
    path, kind = Path(facts.path), facts.weight_format
    if kind not in ("gguf", "ggml"):
        return None
    names = sorted(file.name for file in facts.weight_files if kind in file.name.lower())
    file = plan.weight_file or next(iter(names), None)
    return _one_word(str(path if path.is_file() or file is None else path / file))


def _one_word(path: str) -> str:
    """``path`` as one word of a command line, never to be taken for an option."""
    if not path.isprintable():
        raise ExportError(f"The name {quoted(path)!r} holds characters that cannot be printed; rename it, then export.")
    return f"./{path}" if path.startswith("-") else path


def _check_machines(facts: ModelFacts, gpus: int, nodes: int) -> None:
    if gpus < 1 or nodes < 1:
        raise ExportError(f"{gpus} GPUs on {nodes} machines found; at least 1 of each is needed.")
    heads, layers = facts.num_attention_heads, facts.num_hidden_layers
    if heads and heads % gpus:
        fitting = ", ".join(str(count) for count in range(1, min(heads, 64) + 1) if heads % count == 0)
        raise ExportError(f"The model's {heads} attention heads cannot be split over {gpus} GPUs; use {fitting}.")
    if layers and nodes > layers:
        raise ExportError(f"The model's {layers} layers cannot be split over {nodes} machines.")
