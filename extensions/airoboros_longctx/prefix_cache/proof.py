"""Whether a model reads a prompt in several passes as it does in one: tried, because loaders put attention of their own
into models, and some of it lets tokens of a later pass look ahead.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .key_values import layers_of, new_past
from .prefill import read_prompt

_TOKENS = 25
_PASS = 9
#: How far keys and values may differ on average, as a share of their size: float32, and less precise numbers.
_TOLERANCE = {True: 1e-3, False: 0.1}


@torch.no_grad()
def reads_in_passes(model: Any, ids: Tensor, exact: bool) -> bool:
    """True where the first tokens of ``ids``, shape ``(1, n)``, get the same keys and values in passes as in one."""
    some = ids[:, :_TOKENS]
    if some.shape[-1] <= 2 * _PASS:
        return False
    at_once, in_passes = (
        layers_of(read_prompt(model, some, new_past(model.config, []), 0, chunk, False, lambda so_far: True)[0])
        for chunk in (_TOKENS, _PASS)
    )
    differences = [
        float((one.float() - other.float()).abs().mean() / one.float().abs().mean().clamp_min(1e-9))
        for whole, parts in zip(at_once, in_passes, strict=True)
        for one, other in zip(whole, parts, strict=True)
    ]
    return max(differences) <= _TOLERANCE[exact]
