"""The formulas of rotary position embeddings, in float32: the same operations, in the same order, as the libraries.

RoPE (arXiv:2104.09864, section 3.2.2): dimension pair ``i`` of a head turns by ``position * theta ** (-2i / d)``.
Linear scaling, or position interpolation (arXiv:2306.15595, section 3.1): every position is divided by ``factor``.

Dividing the position and dividing the frequency is the same thing on paper, not in float32: for a factor that is no
power of two the roundings differ. Transformers divides positions up to 4.42, in its tables (4.31 to 4.37) or in every
forward pass (4.38 to 4.42), and frequencies from 4.43 on; ours is bit for bit what each version computes.

NTK and NTK by parts change the frequencies only, and are the same for every version.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..core.errors import RopeScalingError
from ..core.rope_scaling import LINEAR, NO_SCALING, NTK, NTK_BY_PARTS, RopeScaling, ntk_base

#: NTK by parts: between how many turns in the base window a dimension goes from one rule to the next. The constants
#: with which airophin-13b-pntk-16k was trained (bhenrym14/qlora-airoboros-longcontext, llama_pntk_monkey_patch.py).
NTK_TO_LINEAR_TURNS = (1.25, 0.75)
UNSCALED_TO_NTK_TURNS = (16, 2)


def inverse_frequencies(head_dim: int, rope_theta: float) -> Tensor:
    """``theta ** (-2i / head_dim)`` for every dimension pair: float32, on the CPU, shape ``(head_dim / 2,)``."""
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device="cpu") / head_dim
    return torch.as_tensor(1.0 / (rope_theta**exponents))


def scale_frequencies(scaling: RopeScaling, inv_freq: Tensor, rope_theta: float) -> Tensor:
    """``scaling`` as frequencies, for a module that multiplies them with whole positions: float32, a new tensor.

    ``inv_freq``: the unscaled frequencies for the base ``rope_theta``, shape ``(head_dim / 2,)``.
    Raises RopeScalingError for a ``rope_type`` that is not applicable.
    """
    own, head_dim = inv_freq.to(torch.float32), 2 * inv_freq.shape[-1]
    if scaling.rope_type == NO_SCALING or scaling.factor == 1:
        return own.clone()
    if scaling.rope_type == LINEAR:
        return own / scaling.factor
    if scaling.rope_type == NTK:
        return inverse_frequencies(head_dim, ntk_base(rope_theta, scaling.factor, head_dim)).to(own.device)
    if scaling.rope_type == NTK_BY_PARTS:
        return _frequencies_by_parts(scaling, own, rope_theta)
    raise RopeScalingError(
        f"rope_type {scaling.rope_type!r} found; {LINEAR}, {NTK} or {NTK_BY_PARTS} is needed. "
        "Leave the model as its loader makes it."
    )


def _frequencies_by_parts(scaling: RopeScaling, inv_freq: Tensor, rope_theta: float) -> Tensor:
    """Unscaled where a pair turns often within the base window, NTK in between, linear where it hardly turns."""
    factor, window, head_dim = scaling.factor, scaling.original_max_position_embeddings, 2 * inv_freq.shape[-1]
    ntk = inverse_frequencies(head_dim, ntk_base(rope_theta, factor, head_dim)).to(inv_freq.device)
    more_ntk = 1 - _ramp(head_dim, rope_theta, window, NTK_TO_LINEAR_TURNS).to(inv_freq.device)
    slow = inv_freq / factor * (1 - more_ntk) + ntk * more_ntk
    unscaled = 1 - _ramp(head_dim, rope_theta, window, UNSCALED_TO_NTK_TURNS).to(inv_freq.device)
    return slow * (1 - unscaled) + inv_freq * unscaled


def _ramp(head_dim: int, rope_theta: float, window: int, turns: tuple[float, float]) -> Tensor:
    """0 for the pairs that turn more often than ``turns[0]`` within ``window``, 1 below ``turns[1]``, a line between.

    float32, shape ``(head_dim / 2,)``. The pair that turns ``n`` times within ``window`` positions is
    ``d * ln(window / (2 pi n)) / (2 ln theta)``, from ``window * theta ** (-2i / d) = 2 pi n``.
    """
    log_theta = math.log(max(rope_theta, 2.0))  # with a base of 1 all pairs are alike, and any end of the ramp will do
    first, last = (head_dim * math.log(window / (n * 2 * math.pi)) / (2 * log_theta) for n in turns)
    low = float(max(math.floor(first), 0))
    high = max(low, float(min(math.ceil(last), head_dim - 1)))
    if low == high:
        high += 0.001  # as trained: a step in place of a division by zero
    pairs = torch.arange(head_dim // 2, dtype=torch.float32, device="cpu")
    return torch.clamp((pairs - low) / (high - low), 0, 1)


def positions_divided_by(scaling: RopeScaling) -> float:
    """What tables and old forward passes divide positions by: the factor of linear scaling, 1 for all else."""
    return float(scaling.factor) if scaling.rope_type == LINEAR else 1.0


def interpolated_angles(length: int, inv_freq: Tensor, factor: float) -> Tensor:
    """Angles in radians of the positions ``0 .. length - 1``, each divided by ``factor``.

    ``inv_freq`` has shape ``(head_dim / 2,)``; the result is float32 with shape ``(length, head_dim)``, every angle
    twice (once per half of the head), as Llama's ``rotate_half`` wants them.
    """
    positions = torch.arange(length, device=inv_freq.device, dtype=torch.float32) / factor
    angles = torch.outer(positions, inv_freq.to(torch.float32))
    return torch.cat((angles, angles), dim=-1)
