"""The forward passes of a check: one at a time, stoppable between them, the model as it was after each."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from .core.checking.check_result import CheckProgress, PerplexityPoint, RetrievalCell, ScalingMeasured
from .core.checking.pace import Pace
from .core.checking.retrieval_prompts import RetrievalPrompt
from .core.checking.scored_pieces import ScoredPieces, perplexity_point
from .core.ports import MeasuredModel, Rope, Undo
from .core.rope_scaling import RopeScaling

Answer = TypeVar("Answer")


class CheckStopped(Exception):
    """The check was asked to stop: what was measured so far is kept."""


@dataclass
class Measurements:
    """What was measured with one scaling so far: whole context lengths only."""

    scaling: RopeScaling
    perplexity: list[PerplexityPoint] = field(default_factory=list)
    retrieval: list[RetrievalCell] = field(default_factory=list)

    def frozen(self) -> ScalingMeasured:
        return ScalingMeasured(self.scaling, tuple(self.perplexity), tuple(self.retrieval))


class CheckPasses:
    """Runs the forward passes. ``live_model`` is what ``rope`` scales; None where no other scaling is measured."""

    def __init__(
        self,
        model: MeasuredModel,
        rope: Rope,
        live_model: Any,
        pace: Pace,
        progress: Callable[[CheckProgress], None],
        stop: Callable[[], bool],
        between: Callable[[], AbstractContextManager[Any]],
        before_change: Callable[[], None],
    ) -> None:
        self._model, self._rope, self._live_model = model, rope, live_model
        self._pace, self._progress, self._stop, self._between = pace, progress, stop, between
        self._before_change = before_change
        self._began = time.monotonic()

    def measure_perplexity(
        self, into: Measurements, other: RopeScaling | None, pieces: ScoredPieces, length: int
    ) -> None:
        """The losses of all ``pieces`` with ``length`` tokens of context; ``other`` is put on the model for it."""
        rows, losses = pieces.rows(length), []
        for batch in self._batches(rows, length):
            losses += self._pass(
                other,
                partial(self._model.mean_losses, batch, pieces.scored),
                length * len(batch),
                f"perplexity at {length} tokens, {into.scaling}",
            )
        into.perplexity.append(perplexity_point(length, losses, pieces.scored))

    def measure_retrieval(
        self, into: Measurements, other: RopeScaling | None, prompts: Sequence[RetrievalPrompt], length: int
    ) -> None:
        """Which of ``prompts``, all of ``length`` tokens, are answered; ``other`` is put on the model for it."""
        cells: dict[tuple[str, float], list[bool]] = defaultdict(list)
        for batch in self._batches(prompts, length):
            right = self._pass(
                other,
                partial(self._model.replies_begin_with, [(one.text, one.answer) for one in batch]),
                length * len(batch),
                f"retrieval at {length} tokens, {into.scaling}",
            )
            for prompt, found in zip(batch, right, strict=True):
                cells[prompt.kind, prompt.depth].append(found)
        into.retrieval += [
            RetrievalCell(kind, length, depth, sum(found), len(found)) for (kind, depth), found in cells.items()
        ]

    def _batches(self, items: Sequence[Answer], length: int) -> list[Sequence[Answer]]:
        size = max(1, self._model.most_rows_tokens // length)
        return [items[at : at + size] for at in range(0, len(items), size)]

    def _pass(self, other: RopeScaling | None, run: Callable[[], Answer], tokens: int, doing: str) -> Answer:
        if self._stop():
            raise CheckStopped
        with self._between():
            undo = self._put_on(other)
            try:
                answer = run()
            finally:
                if undo is not None:
                    undo()
        self._progress(self._pace.after(tokens, time.monotonic() - self._began, doing))
        return answer

    def _put_on(self, other: RopeScaling | None) -> Undo | None:
        if other is None:
            return None
        self._before_change()
        return self._rope.scale_live(self._live_model, other)
