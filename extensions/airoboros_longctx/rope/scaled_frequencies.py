"""Rotary modules that multiply frequencies with positions in every forward pass (Transformers from 4.38 on)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .scaling_state import WAITING, ScalingState, scaling_state


class ScaledFrequencies:
    """Mixed into a class whose ``forward`` multiplies ``inv_freq`` with the positions (Transformers from 4.38 on).

    ``inv_freq`` is a buffer with scaled values. It stays float32 when the model is cast to half precision.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], *arguments: Any, **keywords: Any) -> Any:
        assert isinstance(self, nn.Module)
        state = scaling_state(self)
        ours = state is not None and _is_of(self, state)
        result = super()._apply(fn, *arguments, **keywords)  # type: ignore[misc]
        moved = self._buffers["inv_freq"]
        if ours and state is not None and moved is not None and moved.dtype != torch.float32:
            self._buffers["inv_freq"] = state.rope.inv_freq(moved.device)
        return result


def _is_of(module: nn.Module, state: ScalingState) -> bool:
    """True when the frequencies of ``module`` are those that ``state`` put there, wherever they were moved."""
    own = module._buffers.get("inv_freq")
    return own is not None and (own.is_meta or torch.equal(own, state.rope.inv_freq(own.device).to(own.dtype)))


def put_frequencies(module: nn.Module, state: ScalingState) -> None:
    own = module._buffers["inv_freq"]
    assert own is not None
    scaled = state.rope.inv_freq(own.device)
    if WAITING + "inv_freq" not in module._buffers:
        module._buffers[WAITING + "inv_freq"] = own
        module._non_persistent_buffers_set.add(WAITING + "inv_freq")
    module._buffers["inv_freq"] = scaled


def take_frequencies(module: nn.Module, state: ScalingState) -> None:
    own, waiting = module._buffers["inv_freq"], module._buffers[WAITING + "inv_freq"]
    ours = _is_of(module, state)
    if ours and own is not None:
        module._buffers["inv_freq"] = waiting if state.previous is None else state.previous.rope.inv_freq(own.device)
    if state.previous is None:
        del module._buffers[WAITING + "inv_freq"]
        module._non_persistent_buffers_set.discard(WAITING + "inv_freq")
