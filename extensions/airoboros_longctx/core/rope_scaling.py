"""The words for RoPE scaling that every room shares: what somebody states, and what a live model really runs.

The three methods that this extension applies, each stretching a window of ``original_max_position_embeddings`` tokens
to about ``factor`` times as many:

- ``linear`` (position interpolation, arXiv:2306.15595) divides every position by ``factor``;
- ``ntk`` (https://www.reddit.com/r/LocalLLaMA/comments/14lz7j5/) multiplies the base by ``alpha ** (d / (d - 2))``,
  with ``d`` the dimension of a head; its ``factor`` is alpha, the webui's alpha_value;
- ``ntk_by_parts`` (https://github.com/jquesnelle/yarn/pull/1, later section 3.2 of arXiv:2309.00071) leaves the quick
  dimensions as they are and interpolates the slow ones by ``factor``; which are which depends on
  ``original_max_position_embeddings`` too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NO_SCALING = "default"
LINEAR = "linear"
NTK = "ntk"
NTK_BY_PARTS = "ntk_by_parts"
#: The base of every Llama before September 2023, also where its config.json names none.
LLAMA_ROPE_THETA = 10000.0
LLAMA_HEAD_DIM = 128
#: Methods that this extension can apply. Every other ``rope_type`` is left to whoever brings it, and read back.
APPLICABLE_ROPE_TYPES = (NO_SCALING, LINEAR, NTK, NTK_BY_PARTS)


@dataclass(frozen=True)
class RopeScaling:
    """A scaling to run: ``factor`` >= 1 (for ``ntk``: alpha) stretches ``original_max_position_embeddings`` tokens."""

    rope_type: str = NO_SCALING
    factor: float = 1.0
    original_max_position_embeddings: int = 2048

    def __post_init__(self) -> None:
        if not (math.isfinite(self.factor) and self.factor >= 1):
            raise ValueError(f"RoPE factor {self.factor!r} found; a finite number of 1 or more is needed.")

    @property
    def max_position_embeddings(self) -> int:
        """The stretched window in tokens."""
        return round(self.original_max_position_embeddings * self.factor)

    def __str__(self) -> str:
        return spoken(self.rope_type, self.factor)


@dataclass(frozen=True)
class RopeReading:
    """What a live model's rotary embedding computes, fitted from its own cos and sin at probe positions.

    ``factor`` is alpha for ``"ntk"``, and None where the angles fit no scaling that this extension knows (then
    ``rope_type`` is ``"dynamic"`` where the length decides, or ``"other"``, and ``note`` says what was seen).
    ``original_max_position_embeddings`` is the base window in tokens where the angles depend on it (by parts).
    ``rope_theta`` is the base that the model runs. ``error`` is the largest difference between the model's cos/sin and
    those of the fit. ``table_length`` is the number of positions in tables that never grow (ExLlama reads past their
    end); None where they grow.
    """

    rope_type: str
    factor: float | None
    head_dim: int
    rope_theta: float
    modules: int
    error: float
    note: str = ""
    table_length: int | None = None
    original_max_position_embeddings: int | None = None

    def reaches(self, tokens: int) -> bool:
        """True when a context of ``tokens`` stays inside the tables."""
        return self.table_length is None or self.table_length >= tokens

    def agrees_with(self, scaling: RopeScaling, tolerance: float = 1e-3) -> bool:
        """True when the model runs ``scaling``: its method, and its factor within a relative ``tolerance``.

        With factor 1 all methods are the same: none.
        """
        if self.factor is None or abs(self.factor / scaling.factor - 1.0) > tolerance:
            return False
        if abs(scaling.factor - 1.0) <= tolerance:
            return True
        window = self.original_max_position_embeddings
        return self.rope_type == scaling.rope_type and window in (None, scaling.original_max_position_embeddings)

    @property
    def is_unscaled(self) -> bool:
        return self.agrees_with(RopeScaling())

    def __str__(self) -> str:
        """``linear ×4``, ``no scaling``, ``other (frequencies that fit no known scaling)``."""
        return spoken(self.rope_type, self.factor) if self.factor is not None else f"{self.rope_type} ({self.note})"


def ntk_base(rope_theta: float, alpha: float, head_dim: int) -> float:
    """The base of NTK-aware scaling, which makes the slowest pair alpha times slower and leaves the quickest alone."""
    if head_dim <= 2:  # one pair, which turns once per position whatever the base is
        return rope_theta
    return float(rope_theta * alpha ** (head_dim / (head_dim - 2)))


def ntk_alpha(rope_theta: float, base: float, head_dim: int) -> float:
    """The alpha that ``ntk_base`` turns into ``base``; ``head_dim`` is more than 2."""
    return float((base / rope_theta) ** ((head_dim - 2) / head_dim))


def spoken(rope_type: str, factor: float | None) -> str:
    """``linear ×4``, ``yarn``, ``no scaling``."""
    if rope_type == NO_SCALING:
        return "no scaling"
    return rope_type if factor is None else f"{rope_type} ×{factor:g}"
