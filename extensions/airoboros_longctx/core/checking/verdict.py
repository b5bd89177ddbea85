"""What a check says in words. The rule is in ``comparing``; here it becomes a kind and a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..rope_scaling import NO_SCALING, RopeScaling
from .check_result import CheckVerdict, ScalingMeasured, scaling_name
from .comparing import Answers, Comparison, answers, best_measured, compare, measured_lengths, reads_to

RIGHT, OTHER_FACTOR, SHORT, UNCLEAR = "right", "other_factor", "short", "unclear"


def judge(window: int, base: int, measured: Sequence[ScalingMeasured]) -> CheckVerdict:
    """``measured[0]`` is the model as it was loaded; ``window`` and the original window ``base`` are in tokens."""
    loaded, lengths = measured[0], measured_lengths(measured[0])
    if not lengths:
        return CheckVerdict(UNCLEAR, "Nothing was measured, so nothing can be said.")
    read, longest, best = reads_to(loaded), lengths[-1], best_measured(measured, base)
    if best is not loaded:
        sentence = _other_factor(best.scaling, loaded.scaling, compare(best, loaded, base))
        return CheckVerdict(OTHER_FACTOR, sentence, read, best.scaling.factor)
    how = _as_loaded(loaded.scaling)
    tried = [one.scaling for one in measured[1:] if compare(loaded, one, base).tells]
    factor = loaded.scaling.factor if tried else None
    if read is None:
        return CheckVerdict(UNCLEAR, f"{how} it reads no context well: {_at(loaded, lengths[:1])}.", None, factor)
    if read < longest:
        beyond = next(length for length in lengths if length > read)
        reach = f"{how} it reads well to {read} tokens, not beyond"
        figures = f"{_at(loaded, [read])}, {_at(loaded, [beyond])}"
        return CheckVerdict(SHORT, f"{reach}: {figures}.{_none_better(tried)}", read, factor)
    reach = f"it reads well to {read} tokens"
    if read < window:
        reach += f", the longest context that was measured of {window}"
    figures = f"{_at(loaded, lengths[:1])}, {_at(loaded, [read])}" if len(lengths) > 1 else _at(loaded, [read])
    if not tried:
        nothing = " Whether another factor reads better was not measured."
        return CheckVerdict(UNCLEAR, f"{how} {reach}: {figures}.{nothing}", read)
    return CheckVerdict(RIGHT, f"{how} is right: {reach}: {figures}.{_none_better(tried)}", read, factor)


def _other_factor(best: RopeScaling, loaded: RopeScaling, comparison: Comparison) -> str:
    range_ = " to ".join(str(length) for length in dict.fromkeys((comparison.lengths[0], comparison.lengths[-1])))
    seen = []
    if comparison.first.asked:
        first, second = _share(comparison.first), _share(comparison.second)
        seen.append(f"{first} with {scaling_name(best)}, {second} with {scaling_name(loaded)}")
    if comparison.less_loss is not None:
        percent = 100 * (1 - math.exp(-abs(comparison.less_loss)))
        seen.append(f"perplexity is {percent:.0f} % {'lower' if comparison.less_loss >= 0 else 'higher'}")
    return (
        f"This looks like factor {best.factor:g}, not {loaded.factor:g}: at {range_} tokens {'; '.join(seen)}. "
        f"Load it with factor {best.factor:g} and check it again."
    )


def _at(measured: ScalingMeasured, lengths: Sequence[int]) -> str:
    """``perplexity 19.1 and 10 of 10 answers at 256 tokens``."""
    parts = [f"perplexity {point.perplexity:.4g}" for point in measured.perplexity if point.context_tokens in lengths]
    found = answers(measured, lengths)
    if found.asked:
        parts.append(_share(found))
    return f"{' and '.join(parts)} at {lengths[-1]} tokens"


def _share(found: Answers) -> str:
    return f"{found.right} of {found.asked} answers"


def _none_better(tried: Sequence[RopeScaling]) -> str:
    if not tried:
        return ""
    names = [scaling_name(one) for one in sorted(tried, key=lambda one: one.factor)]
    if len(names) == 1:
        return f" {names[0].capitalize()} does not read better."
    return f" None of {', '.join(names[:-1])} and {names[-1]} reads better."


def _as_loaded(scaling: RopeScaling) -> str:
    return "Unscaled" if scaling.rope_type == NO_SCALING else f"Scaled {scaling_name(scaling)}"
