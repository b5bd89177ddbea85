"""Reading a prompt into keys and values, in passes between which it can be stopped."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..core.prefix_reuse import chunk_ends

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


class FirstPass:
    """Counts the forward passes of this thread, and refuses a first one that reads more or less than one token."""

    def __init__(self) -> None:
        self.passes = 0
        self._thread = threading.get_ident()

    def __call__(self, module: Any, given: Any, named: Mapping[str, Any]) -> None:
        if threading.get_ident() != self._thread:
            return
        if not self.passes:
            ids = named.get("input_ids", given[0] if given else None)
            if not isinstance(ids, Tensor) or tuple(ids.shape) != (1, 1):
                raise ValueError("this library does not go on from the last token")
        self.passes += 1
