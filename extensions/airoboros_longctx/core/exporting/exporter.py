"""``export_plan``: a plan as another engine's flags or config fragment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..context_plan import ContextPlan
from ..model_facts import ModelFacts
from . import engines
from .engine_load import FROM_FILES, EngineLoad, ExportError, engine_load
from .engines import Export

ENGINES: dict[str, Callable[[EngineLoad], Export]] = {
    "vllm": engines.vllm,
    "llama.cpp": engines.llama_cpp,
    "koboldcpp": engines.koboldcpp,
    "exllamav2": engines.exllamav2,
    "tgi": engines.tgi,
    "transformers": engines.transformers,
}
SEVERAL_GPUS = ("vllm", "tgi")
SEVERAL_NODES = ("vllm",)
READS_GGUF = ("llama.cpp", "koboldcpp")


def export_plan(plan: ContextPlan, facts: ModelFacts, engine: str, gpus: int = 1, nodes: int = 1) -> Export:
    """``plan`` for ``engine``, one of ENGINES, on ``gpus`` GPUs in each of ``nodes`` machines.

    Raises ExportError, a sentence, for what the engine cannot do.
    """
    if nodes > 1 and engine not in SEVERAL_NODES:
        raise ExportError(f"{engine} runs on one machine; export for vllm to use {nodes}.")
    if gpus > 1 and engine not in SEVERAL_GPUS:
        raise ExportError(f"{engine} has no option for a number of GPUs; leave out --gpus, or export for vllm or tgi.")
    if facts.weight_format in ("gguf", "ggml") and engine not in READS_GGUF:
        raise ExportError(
            f"{facts.name} is a {facts.weight_format.upper()} file, and {engine} needs the model's folder in"
            " Transformers' format."
        )
    load = engine_load(plan, facts, gpus, nodes)
    export = ENGINES[engine](load)
    if load.method != FROM_FILES:
        return export
    note = f"The model's files state {plan.rope_type} scaling: {engine} reads it there, and no option is given for it."
    return replace(export, notes=(note, *export.notes))
