"""What NTK needs to know of a model to become another base: the base it was trained with and the size of its heads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ....core.model_facts import ModelFacts
from ....core.rope_scaling import LLAMA_HEAD_DIM, LLAMA_ROPE_THETA, ntk_alpha, ntk_base


@dataclass(frozen=True)
class RopeShape:
    """``theta`` is the trained base, ``head_dim`` the dimension of a head; Llama's own where nothing is stated."""

    theta: float = LLAMA_ROPE_THETA
    head_dim: int = LLAMA_HEAD_DIM

    def base(self, alpha: float) -> float:
        return ntk_base(self.theta, alpha, self.head_dim)

    def alpha(self, base: float) -> float:
        return ntk_alpha(self.theta, base, self.head_dim)


LLAMA = RopeShape()


def rope_shape(path: Path) -> RopeShape:
    """The shape that the model at ``path`` states."""
    return shape_of(facts_of(path))


def facts_of(path: Path) -> ModelFacts | None:
    """What the model at ``path`` says of itself; None for one that cannot be read, which the plan has said already."""
    from ....core.reading.model_folder import read_model_facts  # here, so that the webui starts without it

    try:
        return read_model_facts(path)
    except Exception:
        return None


def shape_of(facts: ModelFacts | None) -> RopeShape:
    if facts is None:
        return LLAMA
    head_dim = facts.dimension_of_a_head
    return RopeShape(facts.rope_theta or LLAMA.theta, head_dim if head_dim and head_dim > 2 else LLAMA.head_dim)
