"""The limits within which a plan runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunOptions:
    """``step_seconds``: how long a tool may take that names no limit itself. ``result_characters``: what is kept of its
    result; the rest is cut, visibly. ``input_characters``: the longest input with its evidence put in."""

    step_seconds: float = 120.0
    result_characters: int = 4_000
    input_characters: int = 50_000
    side_by_side: int = 4
    most_steps: int = 64
