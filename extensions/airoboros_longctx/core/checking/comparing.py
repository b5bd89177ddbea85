"""The rule behind the verdict: which of two factors reads better, and how far a model reads.

**Which factor.** Two factors are compared at the context lengths that were measured with both and that both should
read: up to the original window times the smaller factor. Retrieval decides where it tells: one factor answers at least
a quarter of the same prompts more than the other, and at least three. Where it does not, perplexity decides: the mean
loss of the same pieces of text differs by at least 0.02 nats (2 % of perplexity) and by more than twice the standard
error of that difference. Otherwise the two are alike, unless the other one's loss is less by 0.02 nats and within that
error: then the verdict is that more pieces are needed. Retrieval comes first because a factor of half the right size
hardly shows in the perplexity of a large model. The loaded factor is called right only if every factor that was tried
at half of it or less, or at double or more, reads worse: a model that knows nothing reads alike with all of them.

**How far.** A length is read if its loss is not above the lowest loss at a shorter length, by more than 0.05 nats and
twice the standard error of the difference over the same pieces, or if half of the prompts of that length or of a longer
one are answered (a small model may foretell a text worse the more it sees of it, where it was trained on none like
it); and if at least 20 % of its prompts are answered, as the paper on position interpolation counts it
(arXiv:2306.15595; asked only of a model that answers half of the prompts of one length: one that cannot do the task
says nothing about its window, and where its perplexity was not measured either, no length counts as read). A model
reads to the last length before the first that it does not read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .check_result import PerplexityPoint, ScalingMeasured

_MORE_ANSWERS_SHARE, _MORE_ANSWERS = 0.25, 3
_LESS_LOSS = 0.02
_MORE_LOSS = 0.05
_STANDARD_ERRORS = 2.0
_CAN_ANSWER, _READ_SHARE = 0.5, 0.2
#: Nearer to the loaded factor than about half or double of it, another one may well read alike.
_NEIGHBOUR_OCTAVES = 0.9


@dataclass(frozen=True)
class Answers:
    right: int
    asked: int

    @property
    def share(self) -> float:
        return self.right / self.asked if self.asked else 0.0


@dataclass(frozen=True)
class Comparison:
    """The first scaling against the second at ``lengths``. ``better`` is 1 where the first reads better, -1 where the
    second does, 0 where they are alike. ``less_loss`` in nats: positive where the first has less."""

    lengths: tuple[int, ...]
    better: int
    first: Answers
    second: Answers
    less_loss: float | None

    @property
    def tells(self) -> bool:
        """False where nothing was measured with both."""
        return self.less_loss is not None or (self.first.asked > 0 and self.second.asked > 0)


def compare(first: ScalingMeasured, second: ScalingMeasured, base: int) -> Comparison:
    """By the rule at the head of this module; ``base`` is the original window in tokens."""
    limit = base * min(first.scaling.factor, second.scaling.factor)
    lengths = tuple(length for length in measured_lengths(first) if length in measured_lengths(second))
    lengths = tuple(length for length in lengths if length <= limit)
    one, other = answers(first, lengths), answers(second, lengths)
    difference = paired_difference(_points(second, lengths), _points(first, lengths))
    more = one.right - other.right
    if abs(more) >= max(_MORE_ANSWERS, _MORE_ANSWERS_SHARE * one.asked) and one.asked == other.asked:
        return Comparison(lengths, 1 if more > 0 else -1, one, other, difference and difference[0])
    if difference is None:
        return Comparison(lengths, 0, one, other, None)
    mean, error = difference
    tells = abs(mean) >= _LESS_LOSS and abs(mean) > _STANDARD_ERRORS * error
    return Comparison(lengths, (1 if mean > 0 else -1) if tells else 0, one, other, mean)


def may_be_better(loaded: ScalingMeasured, others: Sequence[ScalingMeasured], base: int) -> ScalingMeasured | None:
    """Of ``others`` one that has less loss than ``loaded`` by as much as would tell, but within the noise."""
    for other in others:
        comparison = compare(other, loaded, base)
        if comparison.better == 0 and comparison.less_loss is not None and comparison.less_loss >= _LESS_LOSS:
            return other
    return None


def alike(loaded: ScalingMeasured, others: Sequence[ScalingMeasured], base: int) -> list[ScalingMeasured]:
    """Those of ``others``, at half the factor of ``loaded`` or less or at double or more, that read no worse."""
    return [
        other
        for other in others
        if abs(math.log2(other.scaling.factor / loaded.scaling.factor)) > _NEIGHBOUR_OCTAVES
        and (comparison := compare(loaded, other, base)).tells
        and comparison.better <= 0
    ]


def best_measured(measured: Sequence[ScalingMeasured], base: int) -> ScalingMeasured:
    """The first, which is the model as it was loaded, unless another reads better; the factors nearest to it first."""
    best = measured[0]
    for other in sorted(measured[1:], key=lambda one: abs(math.log(one.scaling.factor / measured[0].scaling.factor))):
        if compare(other, best, base).better > 0:
            best = other
    return best


def reads_to(measured: ScalingMeasured) -> int | None:
    """The longest context length in tokens up to which every length is read; None where the first is not."""
    lengths = measured_lengths(measured)
    shares = {length: answers(measured, (length,)) for length in lengths}
    best_share = max((found.share for found in shares.values() if found.asked), default=0.0)
    answers_to = max((length for length, found in shares.items() if found.share >= _CAN_ANSWER), default=0)
    read = None
    for at, length in enumerate(lengths):
        found = shares[length]
        if best_share >= _CAN_ANSWER and found.asked and found.share < _READ_SHARE:
            break
        if best_share < _CAN_ANSWER and not measured.perplexity:
            break
        if at and length > answers_to and _rises(measured, lengths[:at], length):
            break
        read = length
    return read


def answers(measured: ScalingMeasured, lengths: Sequence[int], kind: str | None = None) -> Answers:
    """Of ``kind``, or of both, at ``lengths``."""
    cells = [one for one in measured.retrieval if one.context_tokens in lengths and kind in (None, one.kind)]
    return Answers(sum(cell.right for cell in cells), sum(cell.asked for cell in cells))


def paired_difference(
    first: Sequence[PerplexityPoint], second: Sequence[PerplexityPoint]
) -> tuple[float, float] | None:
    """Mean of (loss of first - loss of second) over the same pieces, in nats per token, and its standard error.

    The points belong together in order. None where there is nothing to compare.
    """
    pairs = [pair for pair in zip(first, second, strict=True) if len(pair[0].log_losses) == len(pair[1].log_losses)]
    pieces = [
        [one - other for one, other in zip(a.log_losses, b.log_losses, strict=True)] for a, b in pairs if a.log_losses
    ]
    if not pieces:
        return None
    means = [sum(piece) / len(piece) for piece in zip(*pieces, strict=True)]
    mean = sum(means) / len(means)
    if math.isnan(mean):  # both explode
        return None
    if len(means) < 2 or math.isinf(mean):
        return mean, 0.0
    variance = sum((one - mean) ** 2 for one in means) / (len(means) - 1)
    return mean, math.sqrt(variance / len(means))


def _rises(measured: ScalingMeasured, shorter: Sequence[int], length: int) -> bool:
    points = {point.context_tokens: point for point in measured.perplexity}
    if length not in points:
        return False
    before = [points[one] for one in shorter if one in points]
    if not before:
        return False
    lowest = min(before, key=lambda point: point.perplexity)
    difference = paired_difference([points[length]], [lowest])
    if difference is None:
        return points[length].perplexity > lowest.perplexity * math.exp(_MORE_LOSS)
    return difference[0] > _MORE_LOSS and difference[0] > _STANDARD_ERRORS * difference[1]


def measured_lengths(measured: ScalingMeasured) -> tuple[int, ...]:
    found = {point.context_tokens for point in measured.perplexity}
    return tuple(sorted(found | {cell.context_tokens for cell in measured.retrieval}))


def _points(measured: ScalingMeasured, lengths: Sequence[int]) -> list[PerplexityPoint]:
    found = {point.context_tokens: point for point in measured.perplexity}
    return [found[length] for length in lengths if length in found]
