"""A call of ``generate`` that only reads one plain prompt and continues it: the calls that can be helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core.plain_generation import PLAIN_ROPE_TYPES, why_not_kept, why_not_plain
from ..core.prefix_reuse import SMALLEST_PROMPT

#: Architectures with which this was tried, by the name in config.json.
TRIED_MODEL_TYPES = ("llama", "mistral", "qwen2", "qwen3")
#: A prompt is too short to be looked up: nothing worth telling.
SHORT = ""


class NotPlainError(Exception):
    """The call is the host's alone; the text says what it asks for, or is "" where there is nothing to tell."""


@dataclass(frozen=True)
class PlainPrompt:
    """``ids``: the prompt as it was given, shape ``(1, n)``; ``tokens``: the same as numbers."""

    ids: Tensor
    tokens: tuple[int, ...]


def why_model_is_not_kept(model: Any) -> str:
    """ "" for a model whose prompts can be kept, else what is in the way."""
    if not type(model).__module__.startswith("transformers.models."):
        return "its own code decides what it keeps of a prompt"
    if getattr(model.config, "model_type", None) not in TRIED_MODEL_TYPES:
        return "this was not tried with its architecture"
    return why_not_kept(model.config)


def plain_prompt(
    model: Any, given: Sequence[Any], named: Mapping[str, Any], smallest: int = SMALLEST_PROMPT
) -> PlainPrompt:
    """The prompt of ``model.generate(*given, **named)``. Raises NotPlainError."""
    if len(given) > 1:
        raise NotPlainError("arguments without names")
    arguments = {**({"inputs": given[0]} if given else {}), **named}
    ids = _only_prompt(arguments)
    if ids.shape[-1] < smallest:
        raise NotPlainError(SHORT)
    configurations = [
        one
        for one in (arguments.get("generation_config"), getattr(model, "generation_config", None))
        if one is not None
    ]
    why = why_not_plain(arguments, configurations) or why_not_kept(model.config) or _why_live_rope_is_not_plain(model)
    if why:
        raise NotPlainError(why)
    if "prepare_inputs_for_generation" in vars(model):
        raise NotPlainError("somebody else prepares the model's inputs")
    _require_no_padding(arguments, ids, configurations, model)
    return PlainPrompt(ids, tuple(ids[0].tolist()))


def _only_prompt(arguments: Mapping[str, Any]) -> Tensor:
    prompts = [arguments[name] for name in ("inputs", "input_ids") if arguments.get(name) is not None]
    if len(prompts) != 1:
        raise NotPlainError("no prompt" if not prompts else "two prompts")
    ids = prompts[0]
    if not isinstance(ids, Tensor) or ids.dim() != 2 or ids.shape[0] != 1 or ids.is_floating_point():
        raise NotPlainError("several prompts at once")
    return ids


def _require_no_padding(arguments: Mapping[str, Any], ids: Tensor, configurations: Sequence[Any], model: Any) -> None:
    """Padding moves the positions of what follows. Without a mask the library takes every padding token for padding."""
    mask = arguments.get("attention_mask")
    if mask is not None:
        if not isinstance(mask, Tensor) or mask.shape != ids.shape or not bool((mask == 1).all()):
            raise NotPlainError("a part of the prompt is masked")
        return
    pads = _token_ids("pad_token_id", arguments, (*configurations, model.config))
    ends = _token_ids("eos_token_id", arguments, configurations[:1])
    for pad in pads - ends:
        if bool((ids == pad).any()):
            raise NotPlainError("padding inside the prompt")


def _token_ids(name: str, arguments: Mapping[str, Any], configurations: Sequence[Any]) -> set[int]:
    """Every number that ``name`` may stand for."""
    values = (
        [arguments[name]] if arguments.get(name) is not None else [getattr(one, name, None) for one in configurations]
    )
    found: list[Any] = []
    for value in values:
        one = value.reshape(-1).tolist() if isinstance(value, Tensor) else value
        found += one if isinstance(one, (list, tuple)) else [one]
    return {int(one) for one in found if one is not None}


def _why_live_rope_is_not_plain(model: torch.nn.Module) -> str:
    """The rotary modules that are there may be others than config.json says."""
    for module in model.modules():
        name = type(module).__name__
        if "Rotary" in name and ("Dynamic" in name or getattr(module, "rope_type", None) not in PLAIN_ROPE_TYPES):
            return "its rotary embedding depends on the length of the prompt"
    return ""
