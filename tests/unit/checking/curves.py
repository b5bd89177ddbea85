"""Results of checks as published figures would have made them."""

from __future__ import annotations

import math
import random

from extensions.airoboros_longctx.core.checking.check_result import (
    PASSKEY,
    PerplexityPoint,
    RetrievalCell,
    ScalingMeasured,
)
from extensions.airoboros_longctx.core.rope_scaling import LINEAR, NO_SCALING, RopeScaling

BASE = 2048


def measured(
    factor: float, perplexity: dict[int, float], found: dict[int, int] | None = None, asked: int = 10, pieces: int = 16
) -> ScalingMeasured:
    """A curve of ``perplexity`` by context length, and ``found`` of ``asked`` pass keys by context length.

    Some pieces are harder than others, by the same amount in every curve; beside that each has noise of its own.
    """
    scaling = RopeScaling(LINEAR if factor != 1 else NO_SCALING, factor, BASE)
    hardness = [math.sin(piece * 2.4) for piece in range(pieces)]
    mean = sum(hardness) / pieces
    points = []
    for length, value in perplexity.items():
        own = [random.Random(f"{factor} {length} {piece}").gauss(0, 0.01) for piece in range(pieces)]
        noise = sum(own) / pieces
        losses = tuple(math.log(value) + hardness[at] - mean + own[at] - noise for at in range(pieces))
        points.append(PerplexityPoint(length, value, 256 * pieces, losses))
    cells = tuple(RetrievalCell(PASSKEY, length, 0.5, right, asked) for length, right in (found or {}).items())
    return ScalingMeasured(scaling, tuple(points), cells)
