"""The formulas of rotary position embeddings, in float32: the same operations, in the same order, as the libraries.

RoPE (arXiv:2104.09864, section 3.2.2): dimension pair ``i`` of a head turns by ``position * theta ** (-2i / d)``.
Linear scaling, or position interpolation (arXiv:2306.15595, section 3.1): every position is divided by ``factor``.

Dividing the position and dividing the frequency is the same thing on paper, not in float32: for a factor that is no
power of two the roundings differ. Transformers divides positions where it keeps tables (4.31 to 4.37) and
frequencies from 4.43 on; each of the two functions below is bit for bit what its versions compute.
"""

from __future__ import annotations

import torch
from torch import Tensor


def inverse_frequencies(head_dim: int, rope_theta: float) -> Tensor:
    """``theta ** (-2i / head_dim)`` for every dimension pair: float32, on the CPU, shape ``(head_dim / 2,)``."""
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device="cpu") / head_dim
    return torch.as_tensor(1.0 / (rope_theta**exponents))


def interpolated_frequencies(inv_freq: Tensor, factor: float) -> Tensor:
    """Frequencies for a module that multiplies them with whole positions itself: ``inv_freq / factor``, float32."""
    return inv_freq.to(torch.float32) / factor


def interpolated_angles(length: int, inv_freq: Tensor, factor: float) -> Tensor:
    """Angles in radians of the positions ``0 .. length - 1``, each divided by ``factor``.

    ``inv_freq`` has shape ``(head_dim / 2,)``; the result is float32 with shape ``(length, head_dim)``, every angle
    twice (once per half of the head), as Llama's ``rotate_half`` wants them.
    """
    positions = torch.arange(length, device=inv_freq.device, dtype=torch.float32) / factor
    angles = torch.outer(positions, inv_freq.to(torch.float32))
    return torch.cat((angles, angles), dim=-1)
