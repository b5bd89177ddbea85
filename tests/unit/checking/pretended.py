"""A model that reads as its factor says, and the rope that changes it, for checks without torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from extensions.airoboros_longctx.core.checking.checked_model import CheckedModel
from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.ports import Undo
from extensions.airoboros_longctx.core.prompts.instruction_templates import DEFAULT_TEMPLATE, instruction_template
from extensions.airoboros_longctx.core.rope_scaling import LINEAR, NO_SCALING, RopeReading, RopeScaling

BASE = 256


@dataclass
class PretendedModel:
    """``right_factor`` is the one that it reads well with; ``factor`` the one that it runs.

    With another factor perplexity is higher and nothing is found; beyond the window of ``factor`` likewise.
    ``calls`` are (what, context length, rows, factor) of every forward pass.
    """

    right_factor: float = 4.0
    factor: float = 4.0
    gives_logits: bool = True
    start_ids: tuple[int, ...] = (0,)
    most_rows_tokens: int = 1024
    fails_beyond: int | None = None
    calls: list[tuple[str, int, int, float]] = field(default_factory=list)

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(len(word) for word in text.split())

    def count_tokens(self, text: str) -> int:
        return len(self.token_ids(text)) + 1

    def mean_losses(self, rows: Sequence[Sequence[int]], scored: int) -> list[float]:
        length = len(rows[0])
        self.calls.append(("perplexity", length, len(rows), self.factor))
        if self.fails_beyond is not None and length > self.fails_beyond:
            raise MemoryError("no room")
        return [2.0 - math.log2(length) / 100 + self._badness(length) + sum(row[-3:]) / 1000 for row in rows]

    def replies_begin_with(self, prompts: Sequence[tuple[str, str]]) -> list[bool]:
        length = max(self.count_tokens(prompt + answer) for prompt, answer in prompts)
        self.calls.append(("retrieval", length, len(prompts), self.factor))
        return [self._badness(length) == 0] * len(prompts)

    def _badness(self, length: int) -> float:
        return abs(math.log2(self.factor / self.right_factor)) + (3.0 if length > BASE * self.factor else 0.0)

    def checked(self, loader: str = "Transformers", in_place: bool = True) -> CheckedModel:
        scaling = RopeScaling(LINEAR if self.factor != 1 else NO_SCALING, self.factor, BASE)
        template = instruction_template(DEFAULT_TEMPLATE)
        window = round(BASE * self.factor)
        return CheckedModel("pretended", loader, self, scaling, window, template, self if in_place else None)


class PretendedRope:
    """Scales a PretendedModel. ``refuses``: as for a model that somebody else scaled. ``sticks``: undoing fails."""

    def __init__(self, refuses: str = "", sticks: bool = False) -> None:
        self.refuses, self.sticks = refuses, sticks

    def patch_classes(self, scaling: RopeScaling) -> Undo:
        raise NotImplementedError

    def scale_live(self, model: PretendedModel, scaling: RopeScaling) -> Undo:
        if self.refuses:
            raise RopeScalingError(self.refuses)
        before, model.factor = model.factor, scaling.factor

        def undo() -> None:
            if not self.sticks:
                model.factor = before

        return undo

    def read(self, model: PretendedModel, planned: RopeScaling | None = None) -> RopeReading:
        return RopeReading(LINEAR, model.factor, 64, 10000.0, 1, 0.0)
