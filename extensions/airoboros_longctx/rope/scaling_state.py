"""What this extension runs on a rotary module, kept on the module itself.

So a second copy of this package in the same process (a host that imports its extensions again) sees it as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..core.rope_scaling import RopeScaling
from .frequencies import positions_divided_by, scale_frequencies
from .scaled_table import ScaledTable

#: The name under which a module carries its ``ScalingState``.
STATE_ATTRIBUTE = "_airoboros_longctx_scaling"
#: The name under which a module that was built scaled, with frequencies that are its own, carries its ``RopeScaling``.
BUILT_ATTRIBUTE = "_airoboros_longctx_built_scaling"
#: Before the name of a buffer whose place is taken.
WAITING = "_unscaled_"


@dataclass(eq=False)
class ScaledRope:
    """One scaling of one set of frequencies, shared by all layers that have the same.

    ``unscaled``: the module's own frequencies, float32, on the CPU, shape ``(head_dim / 2,)``, for the base
    ``rope_theta``. ``frequencies``: what a module runs that multiplies them with positions; where ``divisor`` is not 1,
    the positions are divided by it first. ``table``: what a module with tables slices.
    """

    scaling: RopeScaling
    unscaled: Tensor
    rope_theta: float
    frequencies: Tensor
    divisor: float
    table: ScaledTable

    @classmethod
    def of(
        cls,
        scaling: RopeScaling,
        inv_freq: Tensor,
        rope_theta: float,
        length: int = 1,
        divide_positions: bool = False,
    ) -> ScaledRope:
        """``length``: positions to start the table with. ``divide_positions``: as the library does in 4.38 to 4.42."""
        with torch.inference_mode(False), torch.no_grad():
            unscaled = inv_freq.detach().to(device="cpu", dtype=torch.float32, copy=True)
            scaled, divisor = scale_frequencies(scaling, unscaled, rope_theta), positions_divided_by(scaling)
            table = ScaledTable(unscaled if divisor != 1 else scaled, divisor, length)
            if divide_positions and divisor != 1:
                return cls(scaling, unscaled, rope_theta, unscaled, divisor, table)
            return cls(scaling, unscaled, rope_theta, scaled, 1.0, table)

    def inv_freq(self, device: torch.device) -> Tensor:
        """A new tensor of ``frequencies``: float32, shape ``(head_dim / 2,)``."""
        with torch.inference_mode(False), torch.no_grad():
            return self.frequencies.to(device, copy=True)


@dataclass(eq=False)
class ScalingState:
    """One application of a scaling to one module; ``previous`` is the one that it covers."""

    rope: ScaledRope
    previous: ScalingState | None = None


def scaling_state(module: nn.Module) -> ScalingState | None:
    """The scaling that this extension runs on ``module`` now."""
    return module.__dict__.get(STATE_ATTRIBUTE)


def own_scaling(module: nn.Module) -> RopeScaling | None:
    """The scaling that this extension gave to ``module``, in place or when it was built; None: it gave none."""
    state = scaling_state(module)
    return state.rope.scaling if state is not None else module.__dict__.get(BUILT_ATTRIBUTE)
