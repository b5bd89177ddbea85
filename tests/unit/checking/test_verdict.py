"""The rule of the verdict, on curves shaped like the published ones."""

from __future__ import annotations

from extensions.airoboros_longctx.core.checking.check_result import CheckVerdict, ScalingMeasured
from extensions.airoboros_longctx.core.checking.verdict import judge
from tests.unit.checking.curves import BASE, measured

#: 7b PI-16384 with pretraining, and the base model unscaled (the second model card's table).
SCALED_8 = {64: 29.39, 2048: 7.34, 4096: 6.81, 8192: 6.49, 16384: 6.31}
UNSCALED = {64: 25.90, 2048: 6.2, 4096: 48.65, 8192: 1018, 16384: 1e7}
ALL_FOUND = dict.fromkeys((2048, 4096, 8192, 16384), 10)


def verdict(window: int, *curves: ScalingMeasured) -> CheckVerdict:
    return judge(window, BASE, curves)


def test_the_right_factor_reads_its_whole_window() -> None:
    half = measured(4, {2048: 7.4, 4096: 6.9, 8192: 6.7}, {2048: 4, 4096: 2, 8192: 1})
    double = measured(16, {4096: 7.3, 8192: 7.1, 16384: 6.9}, {4096: 8, 8192: 8, 16384: 8})
    assert verdict(16384, measured(8, SCALED_8, ALL_FOUND), half, double) == CheckVerdict(
        "right",
        "Scaled ×8 is right: it reads well to 16384 tokens: perplexity 29.39 at 64 tokens, perplexity 6.31 and 10 of "
        "10 answers at 16384 tokens. None of ×4 and ×16 reads better.",
        16384,
        8,
    )


def test_a_half_right_factor_is_seen_by_its_answers_though_its_perplexity_is_as_good() -> None:
    half = measured(4, {64: 29.0, 2048: 7.33, 4096: 6.80, 8192: 6.50}, {2048: 5, 4096: 2, 8192: 0})
    right = measured(8, {2048: 7.34, 4096: 6.81, 8192: 6.49}, {2048: 10, 4096: 10, 8192: 9})
    assert verdict(8192, half, measured(2, {2048: 7.4, 4096: 7.2}, {2048: 4, 4096: 1}), right) == CheckVerdict(
        "other_factor",
        "This looks like factor 8, not 4: at 2048 to 8192 tokens 29 of 30 answers with ×8, 7 of 30 answers with ×4; "
        "perplexity is 0 % higher. Load it with factor 8 and check it again.",
        2048,
        8,
    )
