"""GPTQ loaders: which weight file they load, and the buffer of AutoGPTQ's exllama kernel for long prompts."""

from __future__ import annotations

import importlib
from typing import Any

from ....core.ports import Undo
from .load import Load, set_attributes


def take_planned_file(load: Load) -> Undo:
    """Name the planned weight file as the webui's ``checkpoint``, unless the user named one."""
    file = load.path / (load.plan.weight_file or "")
    if load.plan.weight_file is None or getattr(load.args, "checkpoint", None) or not file.is_file():
        return lambda: None
    return set_attributes(load.args, {"checkpoint": str(file)})


def leave_attention_alone(load: Load) -> Undo:
    """AutoAWQ's fused attention computes RoPE itself, unscaled and with a fixed base: it is not put in."""
    return set_attributes(load.args, {"no_inject_fused_attention": True})


def make_room_for_prompts(load: Load, model: Any) -> tuple[str, ...]:
    """Enlarge the buffer that AutoGPTQ's first exllama kernel needs for weights in act-order.

    It holds 2048 tokens after a load, and a longer prompt fails with "temp_state buffer is too small". Nothing is done
    for weights in plain order, for other kernels, or where there is room. A failure is a sentence.
    """
    tokens = load.plan.truncation_length
    if not _needs_room(model, tokens):
        return ()
    try:
        importlib.import_module("auto_gptq").exllama_set_max_input_length(model, tokens)
    except Exception as error:
        return (
            f"Prompts of more than 2048 tokens will fail: the buffer of AutoGPTQ's exllama kernel could not be made for"
            f" {tokens} tokens ({type(error).__name__}: {error}). Load the model with disable_exllama on.",
        )
    return ()


def _needs_room(model: Any, tokens: int) -> bool:
    buffers = getattr(model, "device_to_buffers", None)
    act_order = getattr(getattr(model, "quantize_config", None), "desc_act", False)
    if not buffers or not act_order or not callable(getattr(model, "named_modules", None)):
        return False
    if not any(getattr(module, "QUANT_TYPE", "") == "exllama" for _, module in model.named_modules()):
        return False
    return any(int(buffer["temp_state"].shape[0]) < tokens for buffer in buffers.values())
