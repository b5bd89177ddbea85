"""What this extension runs on a rotary module, kept on the module itself.

So a second copy of this package in the same process (a host that imports its extensions again) sees it as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .frequencies import interpolated_frequencies
from .scaled_table import ScaledTable

#: The name under which a module carries its ``ScalingState``.
STATE_ATTRIBUTE = "_airoboros_longctx_scaling"
#: Before the name of a buffer whose place is taken.
WAITING = "_unscaled_"


@dataclass(eq=False)
class ScalingState:
    """One application of a scaling to one module; ``previous`` is the one that it covers."""

    factor: float
    table: ScaledTable
    previous: ScalingState | None = None

    def inv_freq(self, device: torch.device) -> Tensor:
        """A new tensor of the scaled frequencies: float32, shape ``(head_dim / 2,)``."""
        with torch.inference_mode(False), torch.no_grad():
            return interpolated_frequencies(self.table.inv_freq, self.factor).to(device)


def scaling_state(module: nn.Module) -> ScalingState | None:
    """The scaling that this extension runs on ``module`` now."""
    return module.__dict__.get(STATE_ATTRIBUTE)
