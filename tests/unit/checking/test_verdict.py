"""The rule of the verdict, on curves shaped like the published ones."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.checking.check_result import CheckVerdict, ScalingMeasured
from extensions.airoboros_longctx.core.checking.comparing import compare, paired_difference, reads_to
from extensions.airoboros_longctx.core.checking.scored_pieces import perplexity_point
from extensions.airoboros_longctx.core.checking.verdict import judge
from tests.unit.checking.curves import BASE, measured

#: 7b PI-16384 with pretraining, and the base model unscaled (the second model card's table).
SCALED_8 = {64: 29.39, 2048: 7.34, 4096: 6.81, 8192: 6.49, 16384: 6.31}
UNSCALED = {64: 25.90, 2048: 6.2, 4096: 48.65, 8192: 1018, 16384: 1e7}
#: Without pretraining the same model ends at 8192: 8.70 at 16384.
SHORT_8 = {64: 32.28, 2048: 7.71, 4096: 7.25, 8192: 7.07, 16384: 8.70}
ALL_FOUND = dict.fromkeys((2048, 4096, 8192, 16384), 10)


def verdict(window: int, *curves: ScalingMeasured) -> CheckVerdict:
    return judge(window, BASE, curves)


def test_the_right_factor_reads_its_whole_window() -> None:
    half = measured(4, {2048: 7.4, 4096: 6.9, 8192: 6.7}, {2048: 4, 4096: 2, 8192: 1})
    double = measured(16, {4096: 7.3, 8192: 7.1, 16384: 6.9}, {4096: 8, 8192: 8, 16384: 8})
    assert verdict(16384, measured(8, SCALED_8, ALL_FOUND), half, double) == CheckVerdict(
        "right",
        "Scaled ×8 is right. It reads well to 16384 tokens: perplexity 29.39 at 64 and 6.31 at 16384, 10 of 10 answers "
        "at 16384. With ×4 or ×16 it does not read better.",
        16384,
        8,
    )


def test_a_half_right_factor_is_seen_by_its_answers_though_its_perplexity_is_as_good() -> None:
    half = measured(4, {64: 29.0, 2048: 7.33, 4096: 6.80, 8192: 6.40}, {2048: 5, 4096: 2, 8192: 0})
    right = measured(8, {2048: 7.34, 4096: 6.81, 8192: 6.49}, {2048: 10, 4096: 10, 8192: 9})
    assert verdict(8192, half, measured(2, {2048: 7.4, 4096: 7.2}, {2048: 4, 4096: 1}), right) == CheckVerdict(
        "other_factor",
        "This looks like factor 8, not 4: at 2048 to 8192 tokens ×8 finds 29 of 30 answers and ×4 7, and perplexity is "
        "1 % higher with ×8 than with ×4. Load it with factor 8 and check it again.",
        4096,
        8,
    )


def test_a_missing_factor_is_seen_within_the_base_window() -> None:
    """SuperHOT 13b unscaled: 13.6 instead of 7.5 at 512 tokens; retrieval is not needed."""
    unscaled = measured(1, {512: 13.6, 1024: 12.9, 2048: 12.5})
    trials = [
        measured(factor, {512: at, 1024: at - 0.3, 2048: at - 0.5}) for factor, at in ((2, 8.3), (4, 7.5), (8, 8.1))
    ]
    assert verdict(2048, unscaled, *trials) == CheckVerdict(
        "other_factor",
        "This looks like factor 4, not 1: at 512 to 2048 tokens perplexity is 80 % higher with no scaling than with "
        "×4. Load it with factor 4 and check it again.",
        2048,
        4,
    )


def test_a_doubled_factor_is_seen_by_perplexity() -> None:
    doubled = measured(8, {2048: 7.9, 4096: 7.6, 8192: 7.5, 16384: 7.8}, ALL_FOUND)
    right = measured(4, {2048: 7.1, 4096: 6.9, 8192: 6.9}, {2048: 10, 4096: 10, 8192: 10})
    found = verdict(16384, doubled, right, measured(16, {4096: 9.0, 8192: 9.0, 16384: 9.0}))
    assert (found.kind, found.looks_like_factor) == ("other_factor", 4)


def test_a_base_model_is_right_without_scaling() -> None:
    found = verdict(2048, measured(1, {64: 25.9, 2048: 6.2}), measured(2, {64: 33.0, 2048: 8.1}))
    assert found == CheckVerdict(
        "right",
        "Unscaled is right. It reads well to 2048 tokens: perplexity 25.90 at 64 and 6.20 at 2048. With ×2 it does not "
        "read better.",
        2048,
        1,
    )


def test_a_model_that_knows_nothing_is_never_right() -> None:
    """Random weights: the same perplexity with every factor, and no answer."""
    none = {256: 0, 1024: 0}
    loaded, half, double = (measured(factor, {64: 2090.0, 1024: 2089.0}, none) for factor in (4, 2, 8))
    assert verdict(1024, loaded, half, double) == CheckVerdict(
        "unclear",
        "Scaled ×4, whether it reads 1024 tokens better than with ×2 or ×8 cannot be told: perplexity "
        "2090 at 64 and 2089 at 1024, 0 of 10 answers at 1024. Another text, or more pieces of it (--windows), may "
        "tell.",
        1024,
    )


def test_one_factor_that_reads_alike_is_enough_to_doubt() -> None:
    loaded = measured(4, {64: 29.0, 1024: 7.3})
    found = verdict(1024, loaded, measured(2, {64: 33.0, 1024: 7.9}), measured(8, {64: 29.0, 1024: 7.3}))
    assert found.kind == "unclear"
    assert found.looks_like_factor is None
    assert found.sentence.startswith("Scaled ×4, whether it reads 1024 tokens better than with ×8 cannot be told")


def test_a_factor_that_was_asked_for_near_the_loaded_one_may_read_alike() -> None:
    loaded, near = measured(4, {64: 29.0, 1024: 7.3}), measured(4.2, {64: 29.0, 1024: 7.3})
    assert verdict(1024, loaded, measured(2, {64: 33.0, 1024: 7.9}), near).kind == "right"


def test_a_loader_without_logits_whose_model_answers_nothing_reads_nothing() -> None:
    assert verdict(1024, measured(4, {}, {256: 1, 1024: 0})) == CheckVerdict(
        "unclear", "Scaled ×4, it reads no context well: 1 of 10 answers at 256."
    )


def test_a_window_that_is_not_read_to_its_end_is_short() -> None:
    half = measured(4, {2048: 8.0, 4096: 7.6, 8192: 7.5})
    assert verdict(16384, measured(8, SHORT_8), half) == CheckVerdict(
        "short",
        "Scaled ×8, it reads well to 8192 tokens, not beyond: perplexity 7.07 at 8192 and 8.70 at 16384. With ×4 it "
        "does not read better.",
        8192,
        8,
    )


def test_an_unscaled_model_past_its_window_explodes() -> None:
    assert reads_to(measured(1, UNSCALED)) == 2048
    assert reads_to(measured(1, {2048: 6.2, 4096: float("inf")})) == 2048


def test_a_perplexity_that_explodes_is_told_in_words() -> None:
    worse = measured(1, {64: 1e7, 2048: 1e7})
    found = verdict(2048, worse, measured(4, {64: 25.0, 2048: 6.0}))
    assert "perplexity is more than 1000 times as high with no scaling than with ×4." in found.sentence
    found = verdict(2048, measured(1, {2048: 100.0}), measured(4, {2048: 5.0}))
    assert "perplexity is 20.0 times as high with no scaling" in found.sentence
    no_number = perplexity_point(2048, [float("nan")] * 16, 32)
    assert (no_number.perplexity, no_number.log_losses[0]) == (float("inf"), float("inf"))
    found = verdict(2048, ScalingMeasured(worse.scaling, (no_number,)), measured(4, {2048: 5.0}))
    assert (found.kind, found.looks_like_factor) == ("other_factor", 4)


def test_a_window_ends_where_the_answers_do() -> None:
    assert reads_to(measured(4, SCALED_8, {2048: 10, 4096: 9, 8192: 2, 16384: 1})) == 8192
    assert reads_to(measured(4, SCALED_8, {2048: 4, 4096: 0, 8192: 0, 16384: 0})) == 16384, "it cannot answer at all"


def test_a_text_that_it_foretells_badly_does_not_end_a_window_in_which_it_answers() -> None:
    foreign = {64: 365.0, 128: 394.0, 256: 457.5, 1024: 460.0}
    assert reads_to(measured(4, foreign, {256: 9, 1024: 5})) == 1024
    assert reads_to(measured(4, foreign, {256: 9, 1024: 4})) == 256
    assert reads_to(measured(4, foreign)) == 64


def test_a_small_rise_is_within_the_noise() -> None:
    assert reads_to(measured(4, {2048: 7.0, 4096: 7.2})) == 4096
    assert reads_to(measured(4, {2048: 7.0, 4096: 7.6})) == 2048


def test_two_factors_are_compared_where_both_should_read() -> None:
    comparison = compare(measured(2, UNSCALED, ALL_FOUND), measured(8, SCALED_8, ALL_FOUND), BASE)
    assert comparison.lengths == (64, 2048, 4096)


@pytest.mark.parametrize(("right", "better"), [(7, 0), (6, 1)])
def test_a_quarter_more_answers_and_at_least_three_tell(right: int, better: int) -> None:
    first, second = measured(4, {2048: 7.0}, {2048: 9}), measured(8, {2048: 7.0}, {2048: right})
    assert (compare(first, second, BASE).better, compare(second, first, BASE).better) == (better, -better)


@pytest.mark.parametrize(("perplexity", "better"), [(7.1, 0), (7.2, 1)])
def test_two_percent_of_perplexity_tell_where_the_answers_do_not(perplexity: float, better: int) -> None:
    first, second = measured(4, {2048: 7.0}, {2048: 9}), measured(8, {2048: perplexity}, {2048: 10})
    assert (compare(first, second, BASE).better, compare(second, first, BASE).better) == (better, -better)


def test_a_difference_that_is_not_clear_of_its_own_spread_tells_nothing() -> None:
    noisy = measured(8, {2048: 7.2})
    point = noisy.perplexity[0]
    losses = tuple(loss + (0.5 if at % 2 else -0.5) for at, loss in enumerate(point.log_losses))
    spread = ScalingMeasured(noisy.scaling, (type(point)(2048, 7.2, point.scored_tokens, losses),))
    assert compare(measured(4, {2048: 7.0}), spread, BASE).better == 0
    assert verdict(2048, spread, measured(4, {2048: 7.0})) == CheckVerdict(
        "unclear",
        "Scaled ×8, it reads well to 2048 tokens, but with ×4 it may read better: perplexity is lower, by less than "
        "the pieces differ among themselves. Measure more of them (--windows).",
        2048,
    )


def test_the_standard_error_is_that_of_the_paired_differences() -> None:
    one, other = measured(4, {2048: 7.0}, pieces=3).perplexity[0], measured(8, {2048: 7.0}, pieces=3).perplexity[0]
    first = type(one)(2048, 7.0, 96, (2.0, 3.0, 4.0))
    second = type(other)(2048, 7.0, 96, (1.0, 1.0, 1.0))
    assert paired_difference([first], [second]) == (2.0, pytest.approx((1.0 / 3) ** 0.5))
    assert paired_difference([], []) is None


def test_nothing_measured_says_nothing() -> None:
    assert verdict(2048, measured(4, {})) == CheckVerdict("unclear", "Nothing was measured, so nothing can be said.")


def test_a_check_of_the_first_lengths_alone_says_how_far_it_went() -> None:
    found = verdict(8192, measured(4, {64: 29.0, 2048: 7.3}), measured(2, {64: 33.0, 2048: 7.9}))
    assert found.sentence.startswith(
        "Scaled ×4 is right. It reads well to 2048 tokens, the longest that was measured of 8192:"
    )


def test_without_another_factor_nothing_is_said_of_the_factor() -> None:
    assert verdict(8192, measured(4, {64: 29.0, 8192: 7.3})) == CheckVerdict(
        "unclear",
        "Scaled ×4, it reads well to 8192 tokens: perplexity 29.00 at 64 and 7.30 at 8192. Whether another factor "
        "reads better was not measured.",
        8192,
    )
