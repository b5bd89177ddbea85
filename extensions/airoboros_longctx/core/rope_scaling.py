"""The words for RoPE scaling that every room shares: what somebody states, and what a live model really runs.

Linear scaling (position interpolation, arXiv:2306.15595) divides every position by ``factor``, so a model
trained on ``original_max_position_embeddings`` tokens reads ``factor`` times as many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NO_SCALING = "default"
LINEAR = "linear"
#: Methods that this extension can apply. Every other ``rope_type`` is left to whoever brings it, and read back.
APPLICABLE_ROPE_TYPES = (NO_SCALING, LINEAR)


@dataclass(frozen=True)
class RopeScaling:
    """A scaling to run: ``factor`` >= 1 stretches ``original_max_position_embeddings`` tokens."""

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


@dataclass(frozen=True)
class RopeReading:
    """What a live model's rotary embedding computes, fitted from its own cos and sin at probe positions.

    ``factor`` is None where the angles fit no uniformly scaled RoPE (then ``rope_type`` is ``"ntk"`` for another base,
    ``"dynamic"`` where the length decides, or ``"other"``, and ``note`` says what was seen);
    ``error`` is the largest difference between the model's cos/sin and those of the fit. ``table_length`` is the number
    of positions in tables that never grow (ExLlama reads past their end); None where they grow.
    """

    rope_type: str
    factor: float | None
    head_dim: int
    rope_theta: float
    modules: int
    error: float
    note: str = ""
    table_length: int | None = None

    def reaches(self, tokens: int) -> bool:
        """True when a context of ``tokens`` stays inside the tables."""
        return self.table_length is None or self.table_length >= tokens

    def agrees_with(self, factor: float, tolerance: float = 1e-3) -> bool:
        """True when the fitted factor is ``factor`` within a relative ``tolerance``."""
        return self.factor is not None and abs(self.factor / factor - 1.0) <= tolerance
