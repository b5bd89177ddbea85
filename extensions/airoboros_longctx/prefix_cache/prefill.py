"""Reading a prompt into keys and values, in passes between which it can be stopped."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..core.prefix_reuse import chunk_ends
from .key_values import layers_of

#: Newer libraries compute the scores of the last tokens only, where they are asked to.
_FEW_SCORES = ("logits_to_keep", "num_logits_to_keep")


def read_prompt(
    model: Any, ids: Tensor, past: Any, start: int, chunk: int, aligned: bool, goes_on: Callable[[int], bool]
) -> tuple[Any, int]:
    """Read all of ``ids``, shape ``(1, n)``, but its last token, where ``past`` holds the first ``start`` of them.

    Returns the past and how many tokens it holds: fewer where ``goes_on(tokens so far)``, asked before each pass, was
    False. ``chunk`` and ``aligned``: as for ``chunk_ends``.
    """
    named: dict[str, Any] = {"use_cache": True, "return_dict": True}
    parameters = inspect.signature(model.forward).parameters
    named.update({name: 1 for name in _FEW_SCORES if name in parameters})
    for end in chunk_ends(start, ids.shape[-1] - 1, chunk, aligned):
        if not goes_on(start):
            break
        mask = torch.ones((1, end), dtype=torch.long, device=ids.device)
        output = model(input_ids=ids[:, start:end], attention_mask=mask, past_key_values=past, **named)
        past, start = output.past_key_values, end
    return past, start


def is_complete(past: Any, tokens: int) -> bool:
    """True where every layer of ``past`` holds exactly ``tokens``."""
    layers = layers_of(past)
    return bool(layers) and {int(tensor.shape[-2]) for pair in layers for tensor in pair} == {tokens}
