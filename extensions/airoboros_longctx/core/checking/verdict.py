"""What a check says in words. The rule is in ``comparing``; here it becomes a kind and a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..rope_scaling import RopeScaling
from .check_result import (
    OTHER_FACTOR,
    RIGHT,
    SHORT,
    UNCLEAR,
    CheckVerdict,
    ScalingMeasured,
    scaling_name,
    shown_perplexity,
)
from .comparing import Comparison, alike, answers, best_measured, compare, may_be_better, measured_lengths, reads_to


def judge(window: int, base: int, measured: Sequence[ScalingMeasured]) -> CheckVerdict:
    """``measured[0]`` is the model as it was loaded; ``window`` and the original window ``base`` are in tokens."""
    loaded, lengths = measured[0], measured_lengths(measured[0])
    if not lengths:
        return CheckVerdict(UNCLEAR, "Nothing was measured, so nothing can be said.")
    within = [length for length in lengths if length <= window] or lengths[:1]
    read, longest, best = reads_to(loaded), within[-1], best_measured(measured, base)
    if best is not loaded:
        sentence = _other_factor(best.scaling, loaded.scaling, compare(best, loaded, base))
        return CheckVerdict(OTHER_FACTOR, sentence, read, best.scaling.factor)
    how = "Unscaled" if loaded.scaling.factor == 1 else f"Scaled {scaling_name(loaded.scaling)}"
    tried = [one.scaling for one in measured[1:] if compare(loaded, one, base).tells]
    no_worse = [one.scaling for one in alike(loaded, measured[1:], base)]
    factor = loaded.scaling.factor if tried and not no_worse else None
    others = _none_better(tried)
    doubtful = may_be_better(loaded, measured[1:], base)
    if doubtful is not None:
        doubt = f"but with {scaling_name(doubtful.scaling)} it may read better: perplexity is lower, by less than the"
        more = "pieces differ among themselves. Measure more of them (--windows)."
        return CheckVerdict(UNCLEAR, f"{how}, it reads well to {read or 0} tokens, {doubt} {more}", read)
    if read is None:
        return CheckVerdict(UNCLEAR, f"{how}, it reads no context well: {_figures(loaded, lengths[:1])}.{others}", None)
    if read < longest:
        beyond = next(length for length in lengths if length > read)
        figures = _figures(loaded, [read, beyond])
        return CheckVerdict(
            SHORT, f"{how}, it reads well to {read} tokens, not beyond: {figures}.{others}", read, factor
        )
    if no_worse:
        untold = f"whether it reads {read} tokens better than with {_either(no_worse)} cannot be told"
        more = "Another text, or more pieces of it (--windows), may tell."
        return CheckVerdict(UNCLEAR, f"{how}, {untold}: {_figures(loaded, [lengths[0], read])}. {more}", read)
    reach = f"t reads well to {read} tokens"
    if read < window:
        reach += f", the longest that was measured of {window}"
    reach += f": {_figures(loaded, [lengths[0], read])}."
    if not tried:
        return CheckVerdict(UNCLEAR, f"{how}, i{reach} Whether another factor reads better was not measured.", read)
    return CheckVerdict(RIGHT, f"{how} is right. I{reach}{others}", read, factor)


def _other_factor(best: RopeScaling, loaded: RopeScaling, comparison: Comparison) -> str:
    lengths = dict.fromkeys((comparison.lengths[0], comparison.lengths[-1]))
    name, found = scaling_name(best), []
    if comparison.first.asked:
        first, second = comparison.first, comparison.second
        found.append(f"{name} finds {first.right} of {first.asked} answers and {scaling_name(loaded)} {second.right}")
    if comparison.less_loss is not None:
        more, less = (loaded, best) if comparison.less_loss >= 0 else (best, loaded)
        higher = _how_much_higher(abs(comparison.less_loss))
        found.append(f"perplexity is {higher} with {scaling_name(more)} than with {scaling_name(less)}")
    return (
        f"This looks like factor {best.factor:g}, not {loaded.factor:g}: at {' to '.join(map(str, lengths))} tokens "
        f"{', and '.join(found)}. Load it with factor {best.factor:g} and check it again."
    )


def _how_much_higher(nats: float) -> str:
    if nats < math.log(2):
        return f"{100 * math.expm1(nats):.0f} % higher"
    return f"{math.exp(nats):.1f} times as high" if nats < math.log(1000) else "more than 1000 times as high"


def _figures(measured: ScalingMeasured, lengths: Sequence[int]) -> str:
    """``perplexity 39.50 at 64 tokens and 35.36 at 1024, 5 of 6 answers at 1024``."""
    points = {point.context_tokens: shown_perplexity(point.perplexity) for point in measured.perplexity}
    known = [f"{points[length]} at {length}" for length in dict.fromkeys(lengths) if length in points]
    parts = [f"perplexity {' and '.join(known)}"] if known else []
    found = answers(measured, lengths[-1:])
    if found.asked:
        parts.append(f"{found.right} of {found.asked} answers at {lengths[-1]}")
    return ", ".join(parts)


def _none_better(tried: Sequence[RopeScaling]) -> str:
    return f" With {_either(tried)} it does not read better." if tried else ""


def _either(scalings: Sequence[RopeScaling]) -> str:
    """``×2``, ``×2 or ×8``, ``no scaling, ×2 or ×8``."""
    *first, last = [scaling_name(one) for one in sorted(scalings, key=lambda one: one.factor)]
    return f"{', '.join(first)} or {last}" if first else last
