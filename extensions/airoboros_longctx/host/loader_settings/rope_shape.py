"""What NTK needs to know of a model to become another base: the base it was trained with and the size of its heads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.reading.model_folder import read_model_facts


@dataclass(frozen=True)
class RopeShape:
    """``theta`` is the trained base, ``head_dim`` the dimension of a head; Llama's own where nothing is stated."""

    theta: float = 10000.0
    head_dim: int = 128

    def base(self, alpha: float) -> float:
        """theta × alpha^(d / (d − 2))."""
        return float(self.theta * alpha ** (self.head_dim / (self.head_dim - 2)))

    def alpha(self, base: float) -> float:
        return float((base / self.theta) ** ((self.head_dim - 2) / self.head_dim))


LLAMA = RopeShape()


def rope_shape(path: Path) -> RopeShape:
    """The shape that the model at ``path`` states."""
    try:
        facts = read_model_facts(path)
    except Exception:  # a folder that cannot be read has been said already, by the plan
        return LLAMA
    head_dim = facts.head_dim
    if head_dim is None and facts.hidden_size and facts.num_attention_heads:
        head_dim = facts.hidden_size // facts.num_attention_heads
    return RopeShape(facts.rope_theta or LLAMA.theta, head_dim if head_dim and head_dim > 2 else LLAMA.head_dim)
