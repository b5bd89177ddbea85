"""NTK and NTK by parts in float64 numpy, written from the definitions and sharing nothing with the extension.

NTK (https://www.reddit.com/r/LocalLLaMA/comments/14lz7j5/): the base times ``alpha ** (d / (d - 2))``, which leaves the
quickest pair as it is and makes the slowest ``alpha`` times slower.

By parts, as airophin-13b-pntk-16k was trained (bhenrym14/qlora-airoboros-longcontext): a pair's place is how often it
turns within the base window. 16 turns and more: unscaled; fading into NTK down to 2; from 1.25 down to 0.75 NTK fades
into linear. The ends of a fade are whole pairs, rounded outwards.
"""

from __future__ import annotations

import math

import numpy as np

from extensions.airoboros_longctx.core.rope_scaling import RopeScaling


def ntk(head_dim: int, theta: float, alpha: float) -> np.ndarray:
    pairs = np.arange(head_dim // 2, dtype=np.float64)
    return theta ** (-2.0 * pairs / head_dim) * alpha ** (-2.0 * pairs / (head_dim - 2))


def by_parts(head_dim: int, theta: float, factor: float, window: int) -> np.ndarray:
    made = []
    for pair, slower in enumerate(ntk(head_dim, theta, factor)):
        unscaled = theta ** (-2.0 * pair / head_dim)
        keep_ntk = _share(pair, head_dim, theta, window, 1.25, 0.75)
        keep_unscaled = _share(pair, head_dim, theta, window, 16, 2)
        scaled = keep_ntk * slower + (1 - keep_ntk) * unscaled / factor
        made.append(keep_unscaled * unscaled + (1 - keep_unscaled) * scaled)
    return np.array(made)


def _share(pair: int, head_dim: int, theta: float, window: int, most_turns: float, fewest_turns: float) -> float:
    """1 for pairs that turn ``most_turns`` times within ``window`` or more, 0 for ``fewest_turns`` or less."""

    def pair_with(turns: float) -> float:  # window * theta ** (-2 pair / head_dim) = 2 pi turns
        return head_dim / 2 * math.log(window / (2 * math.pi * turns), theta)

    first, last = max(0, math.floor(pair_with(most_turns))), math.ceil(pair_with(fewest_turns))
    if pair <= first:
        return 1.0
    return 0.0 if pair >= last else (last - pair) / (last - first)


def frequencies(scaling: RopeScaling, head_dim: int, theta: float = 10000.0) -> np.ndarray:
    """Radians per position for every pair, float64, for any method that the extension applies."""
    if scaling.rope_type == "ntk":
        return ntk(head_dim, theta, scaling.factor)
    if scaling.rope_type == "ntk_by_parts":
        return by_parts(head_dim, theta, scaling.factor, scaling.original_max_position_embeddings)
    return theta ** (-2.0 * np.arange(head_dim // 2) / head_dim) / scaling.factor


def rows(scaling: RopeScaling, length: int, head_dim: int, theta: float = 10000.0) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of the positions 0 .. length - 1: float64, ``(length, head_dim)``, each angle twice."""
    angles = np.arange(length, dtype=np.float64)[:, None] * frequencies(scaling, head_dim, theta)[None, :]
    angles = np.concatenate([angles, angles], axis=1)
    return np.cos(angles), np.sin(angles)
