"""One table of scaled cosines and sines, shared by all layers that keep such tables (Transformers 4.31 to 4.37)."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from .frequencies import interpolated_angles

#: A table that has to grow grows to a multiple of this many positions, not by one position per generated token.
GROWTH = 1024


class ScaledTable:
    """Cosines and sines of positions divided by ``factor``, made on demand and kept once per device and dtype.

    Computed in float32 on the CPU and cast at the end, so the same bits come out for every device, and a model that is
    cast to half precision later does not take the frequencies with it. Growing never changes the rows already there.
    """

    def __init__(self, inv_freq: Tensor, factor: float, length: int) -> None:
        """``inv_freq``: shape ``(head_dim / 2,)``; ``length``: the number of positions to start with."""
        with torch.inference_mode(False), torch.no_grad():
            self.inv_freq = inv_freq.detach().to(device="cpu", dtype=torch.float32, copy=True)
        self.factor = factor
        self.length = max(1, length)
        self._kept: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}
        self._lock = threading.Lock()

    def reserve(self, length: int) -> None:
        """Promise at least ``length`` positions; the rows are made when they are asked for."""
        with self._lock:
            if length > self.length:
                self.length = -(-length // GROWTH) * GROWTH

    def cos_sin(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The two tables, each ``(length, head_dim)``; the same two tensors for everyone who asks alike."""
        kept = self._kept.get((device, dtype))
        if kept is not None and kept[0].shape[0] >= self.length:
            return kept
        with self._lock:
            kept = self._kept.get((device, dtype))
            if kept is None or kept[0].shape[0] < self.length:
                # First asked for inside generate(), perhaps under inference_mode, and later maybe by training.
                with torch.inference_mode(False), torch.no_grad():
                    angles = interpolated_angles(self.length, self.inv_freq, self.factor)
                    kept = (angles.cos().to(dtype).to(device), angles.sin().to(dtype).to(device))
                self._kept[(device, dtype)] = kept
            return kept

    def __deepcopy__(self, memo: dict[int, object]) -> ScaledTable:
        """A copy of a model gets a table of its own (locks cannot be copied)."""
        twin = ScaledTable(self.inv_freq, self.factor, self.length)
        memo[id(self)] = twin
        return twin
