"""Every loader of every release in one table: how it can be scaled, what is set for its loads, how it is read back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ....core.context_plan import ContextPlan
from ....core.mechanisms import LOADER_SETTING, MODEL_CONFIG, NONE, PATCH
from ....core.ports import Undo
from ....core.rope_scaling import RopeReading
from ..seams import FACTOR_KEY
from . import autogptq, exllama, exllamav2, exllamav3, llama_cpp_python, llama_server, rope_arguments
from .load import Load, one_after_the_other
from .rope_shape import rope_shape

Step = Callable[[Load], Undo]
Reader = Callable[[Any, Path], RopeReading | None]
LLAMA_CPP = ("llama.cpp", "llamacpp_HF")


@dataclass(frozen=True)
class LoaderFamily:
    """``mechanism`` is how these loaders are scaled where the release has one of the arguments ``needs``.

    ``steps`` are taken before a load that the plan scales so, or by the model's own files; ``always`` before every
    load; ``readers`` are asked in turn where the model has no rotary embedding that can be called. ``packages``: any
    one of them is enough; ``folder`` is a checkout in the webui's ``repositories`` that does as well.
    """

    loaders: tuple[str, ...]
    mechanism: str
    steps: tuple[Step, ...] = ()
    always: tuple[Step, ...] = ()
    readers: tuple[Reader, ...] = ()
    needs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    folder: str = ""


def _llama_cpp(load: Load) -> Undo:
    """The release's own arguments where it has them, else the server's extra flags."""
    if hasattr(load.args, FACTOR_KEY):
        return rope_arguments.use_llama_cpp_knobs(load)
    if load.plan.mechanism == MODEL_CONFIG:
        return lambda: None  # the server reads it in the file
    return llama_server.use_extra_flags(load)


_KNOB = (FACTOR_KEY,)
_BINDINGS = ("llama_cpp", "llama_cpp_cuda", "llama_cpp_cuda_tensorcores")
_SERVERS = ("llama_cpp_binaries", "ik_llama_cpp_binaries")
FAMILIES: tuple[LoaderFamily, ...] = (
    LoaderFamily(("Transformers",), PATCH, (rope_arguments.leave_knobs_neutral,)),
    LoaderFamily(("AutoGPTQ",), PATCH, always=(autogptq.take_planned_file,), packages=("auto_gptq",)),
    LoaderFamily(
        ("GPTQ-for-LLaMa",),
        PATCH,
        always=(autogptq.take_planned_file,),
        packages=("gptq_for_llama",),
        folder="GPTQ-for-LLaMa",
    ),
    LoaderFamily(("AutoAWQ",), PATCH, (autogptq.leave_attention_alone,), packages=("awq",)),
    LoaderFamily(("HQQ",), PATCH, packages=("hqq",)),
    LoaderFamily(
        ("ExLlama", "ExLlama_HF"),
        LOADER_SETTING,
        (rope_arguments.use_own_knobs,),
        (exllama.take_planned_file,),
        needs=_KNOB,
        packages=("exllama",),
        folder="exllama",
    ),
    LoaderFamily(
        ("ExLlamav2", "ExLlamav2_HF"),
        LOADER_SETTING,
        (rope_arguments.use_own_knobs,),
        readers=(exllamav2.read_config,),
        needs=_KNOB,
        packages=("exllamav2",),
    ),
    LoaderFamily(
        ("ExLlamav3", "ExLlamav3_HF"),
        LOADER_SETTING,
        (exllamav3.state_scaling,),
        readers=(exllamav3.read_frequencies,),
        packages=("exllamav3",),
    ),
    LoaderFamily(
        LLAMA_CPP,
        LOADER_SETTING,
        (_llama_cpp, llama_server.use_context),
        readers=(llama_server.read_server, llama_cpp_python.read_context),
        needs=(FACTOR_KEY, llama_server.EXTRA_FLAGS),
        packages=(*_BINDINGS, *_SERVERS),
    ),
    LoaderFamily(("ctransformers",), NONE, packages=("ctransformers",)),
    LoaderFamily(("QuIP#",), NONE, folder="quip-sharp"),
    LoaderFamily(("TensorRT-LLM",), NONE, packages=("tensorrt_llm",)),
)
_UNKNOWN = LoaderFamily((), NONE)


def family_of(loader: str) -> LoaderFamily:
    """The row of ``loader``; for one that is not in the table a row that does nothing."""
    return next((family for family in FAMILIES if loader in family.loaders), _UNKNOWN)


def mechanism_of(loader: str, args: Any) -> str:
    """How ``loader`` is scaled in a release whose ``shared.args`` is ``args``."""
    family = family_of(loader)
    there = not family.needs or any(hasattr(args, name) for name in family.needs)
    return family.mechanism if there else NONE


def knobs(plan: ContextPlan, args: Any, path: Path) -> dict[str, Any]:
    """The webui's own RoPE arguments that say ``plan``, for its pages to show."""
    if plan.loader in LLAMA_CPP:
        return rope_arguments.llama_cpp_knobs(plan, args, rope_shape(path))
    return rope_arguments.own_knobs(plan)


def prepare(load: Load) -> Undo:
    """Set everything that the plan asks of its loader's own settings; the undo takes it back, the last thing first."""
    family = family_of(load.plan.loader)
    scaled = load.plan.factor != 1.0 and load.plan.mechanism in (family.mechanism, MODEL_CONFIG)
    steps = (*family.always, *(family.steps if scaled else ()))
    return one_after_the_other(partial(step, load) for step in steps)


def finish(load: Load, model: Any) -> tuple[str, ...]:
    """What a loaded model still needs; a sentence for everything that failed. Only GPTQ models need anything."""
    return autogptq.make_room_for_prompts(load, model)


def read(loader: str, model: Any, path: Path) -> RopeReading | None:
    """What a loader says that its model runs, for engines whose rotary embedding cannot be called."""
    for reader in family_of(loader).readers:
        reading = reader(model, path)
        if reading is not None:
            return reading
    return None
