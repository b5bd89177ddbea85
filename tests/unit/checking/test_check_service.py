"""The check as a use case: what it measures, what it leaves behind, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from extensions.airoboros_longctx.check_service import CheckService
from extensions.airoboros_longctx.core.checking.check_options import CheckError, CheckOptions
from extensions.airoboros_longctx.core.checking.check_result import CheckProgress, CheckResult
from tests.unit.checking.pretended import PretendedModel, PretendedRope

BRIEF = CheckOptions(windows=4, prompts=1, depths=(0.0, 0.5, 1.0))


def check(model: PretendedModel, options: CheckOptions = BRIEF, rope: PretendedRope | None = None) -> CheckResult:
    return CheckService(rope or PretendedRope()).check(model.checked(), options)


def factors(result: CheckResult) -> list[float]:
    return [one.scaling.factor for one in result.measured]


def lengths(result: CheckResult, at: int) -> list[int]:
    return [point.context_tokens for point in result.measured[at].perplexity]


@pytest.mark.parametrize("loaded", [1.0, 2.0, 4.0, 8.0, 16.0])
@pytest.mark.parametrize("right", [4.0, 8.0])
def test_the_right_factor_is_found_from_whatever_the_model_was_loaded_with(loaded: float, right: float) -> None:
    model = PretendedModel(right_factor=right, factor=loaded)
    verdict = check(model).verdict
    assert verdict.kind == ("right" if loaded == right else "other_factor")
    assert verdict.looks_like_factor == right
    assert model.factor == loaded


def test_a_model_that_needs_no_scaling_is_right_without() -> None:
    verdict = check(PretendedModel(right_factor=1.0, factor=1.0)).verdict
    assert (verdict.kind, verdict.reads_to, verdict.looks_like_factor) == ("right", 256, 1.0)


def test_the_loaded_model_is_measured_at_every_length_and_the_trials_where_they_can_be_compared() -> None:
    result = check(PretendedModel())
    assert factors(result) == [4, 2, 8]
    assert [lengths(result, at) for at in range(3)] == [[64, 128, 256, 512, 1024], [128, 256, 512], [256, 512, 1024]]
    assert {cell.context_tokens for cell in result.measured[0].retrieval} == {256, 512, 1024}


def test_without_a_trial_the_loaded_model_alone_is_measured_and_nothing_is_said_of_its_factor() -> None:
    result = check(PretendedModel(), CheckOptions(windows=4, prompts=1, trial=False))
    assert factors(result) == [4]
    assert (result.verdict.kind, result.verdict.reads_to) == ("unclear", 1024)
    assert result.verdict.sentence.endswith(" Whether another factor reads better was not measured.")


def test_whole_curves_at_other_factors() -> None:
    options = CheckOptions(windows=4, prompts=1, trial=False, compare_unscaled=True, factors=(2.0, 4.0))
    result = check(PretendedModel(), options)
    assert factors(result) == [4, 1, 2]
    assert [lengths(result, at) for at in range(3)] == [[64, 128, 256, 512, 1024]] * 3


def test_a_given_factor_brings_its_own_window() -> None:
    result = check(PretendedModel(factor=1.0), CheckOptions(windows=4, prompts=1, trial=False, factors=(4.0,)))
    assert lengths(result, 0) == lengths(result, 1) == [64, 128, 256, 512, 1024]
    assert result.window == 256


def test_curves_beyond_the_models_own_window_do_not_make_it_short() -> None:
    result = check(PretendedModel(), CheckOptions(windows=4, prompts=1, factors=(8.0,)))
    assert lengths(result, 0)[-1] == 2048
    assert (result.verdict.kind, result.verdict.reads_to) == ("right", 1024)


def test_a_factor_that_can_read_none_of_the_lengths_is_not_judged_by_them() -> None:
    result = check(PretendedModel(right_factor=2.0), CheckOptions(contexts=(1024,), windows=4, prompts=1))
    assert factors(result) == [4, 8]
    assert result.notes == ("Factor 2 was not tried: it reads 512 tokens, and no context so short was asked for.",)


def test_an_unscaled_model_is_compared_at_short_contexts_alone() -> None:
    result = check(PretendedModel(factor=1.0), CheckOptions(contexts=(64, 128), windows=4, prompts=1))
    assert result.verdict.looks_like_factor == 4.0


def test_the_same_pieces_are_scored_at_every_length_and_factor() -> None:
    result = check(PretendedModel())
    assert {point.scored_tokens for one in result.measured for point in one.perplexity} == {4 * 32}
    hardness = {
        tuple(round(loss - point.log_losses[0], 9) for loss in point.log_losses)
        for one in result.measured
        for point in one.perplexity
    }
    assert len(hardness) == 1


def test_short_contexts_are_read_side_by_side_and_long_ones_alone() -> None:
    model = PretendedModel()
    check(model, CheckOptions(windows=16, prompts=1, trial=False))
    rows = {length: count for what, length, count, _ in model.calls if what == "perplexity"}
    assert rows == {64: 16, 128: 8, 256: 4, 512: 2, 1024: 1}


def test_another_factor_is_on_the_model_only_while_it_is_held() -> None:
    model = PretendedModel()
    seen: list[tuple[float, float]] = []

    @contextmanager
    def between() -> Iterator[None]:
        before = model.factor
        yield
        seen.append((before, model.factor))

    CheckService(PretendedRope()).check(model.checked(), BRIEF, between=between)
    assert len(seen) == len(model.calls)
    assert set(seen) == {(4.0, 4.0)}
    assert {factor for *_, factor in model.calls} == {2.0, 4.0, 8.0}


def test_before_each_change_it_is_said_and_before_nothing_else() -> None:
    model = PretendedModel()
    said: list[float] = []
    CheckService(PretendedRope(), lambda: said.append(model.factor)).check(model.checked(), BRIEF)
    assert said == [4.0] * sum(factor != 4.0 for *_, factor in model.calls)
    assert len(said) > 3


def test_progress_rises_to_the_end_with_the_time_left() -> None:
    model = PretendedModel()
    shown: list[CheckProgress] = []
    CheckService(PretendedRope()).check(model.checked(), BRIEF, progress=shown.append)
    assert len(shown) == len(model.calls)
    assert [one.share for one in shown] == sorted(one.share for one in shown)
    assert (shown[-1].share, shown[-1].seconds_left) == (1.0, 0.0)
    assert shown[0].doing == "perplexity at 64 tokens, linear ×4"
    assert shown[-1].doing == "retrieval at 1024 tokens, linear ×8"


#: Whole lengths only: of the four pieces at 512 tokens two fit into a pass, at 1024 one.
KEPT = {0: [], 4: [64, 128, 256], 5: [64, 128, 256, 512], 20: [64, 128, 256, 512, 1024]}


@pytest.mark.parametrize("passes", KEPT)
def test_a_stopped_check_keeps_what_was_measured_and_restores_the_model(passes: int) -> None:
    model = PretendedModel()
    result = CheckService(PretendedRope()).check(model.checked(), BRIEF, stop=lambda: len(model.calls) == passes)
    assert result.stopped
    assert len(model.calls) == passes
    assert model.factor == 4.0
    assert [point.context_tokens for point in result.measured[0].perplexity] == KEPT[passes]
    if not passes:
        assert result.verdict.sentence == "Nothing was measured, so nothing can be said."


def test_a_model_that_somebody_else_scaled_is_measured_as_it_is() -> None:
    result = check(PretendedModel(), rope=PretendedRope(refuses="Two scalings must not be stacked."))
    assert factors(result) == [4]
    assert result.verdict.kind == "unclear"
    assert result.notes == ("No other factor was measured. Two scalings must not be stacked.",)


def test_a_loader_that_cannot_be_scaled_while_it_runs_is_measured_as_it_is() -> None:
    model = PretendedModel()
    result = CheckService(PretendedRope()).check(model.checked("ExLlama", in_place=False), BRIEF)
    assert factors(result) == [4]
    assert result.notes == ("ExLlama cannot be scaled while it runs: no other factor was measured.",)


def test_a_loader_that_only_generates_is_asked_for_answers_alone() -> None:
    model = PretendedModel(gives_logits=False)
    result = CheckService(PretendedRope()).check(model.checked("llama.cpp"), BRIEF)
    assert {what for what, *_ in model.calls} == {"retrieval"}
    assert result.notes == ("llama.cpp gives no logits: perplexity could not be measured.",)
    assert (result.verdict.kind, result.verdict.reads_to) == ("right", 1024)
    assert not any(one.perplexity for one in result.measured)


def test_a_model_that_fails_at_a_length_keeps_the_shorter_ones() -> None:
    result = check(PretendedModel(fails_beyond=300))
    assert lengths(result, 0) == [64, 128, 256]
    assert result.notes[0] == (
        "At 512 tokens, linear ×4, the model stopped: MemoryError: no room. What is longer was left out."
    )


def test_a_model_that_is_not_restored_is_said_so() -> None:
    result = check(PretendedModel(), rope=PretendedRope(sticks=True))
    assert result.notes[-1].startswith("After the check the model runs linear ×")
    assert result.notes[-1].endswith(", not linear ×4: load it again.")


def test_the_users_own_texts_are_measured_and_named() -> None:
    texts = (("a.txt", "one two " * 700), ("b.txt", "three four " * 700))
    result = check(PretendedModel(), CheckOptions(texts=texts, windows=4, prompts=1))
    assert result.text_name == "a.txt, b.txt"


def test_a_text_that_is_too_short_is_refused() -> None:
    with pytest.raises(CheckError) as refused:
        check(PretendedModel(), CheckOptions(texts=(("a.txt", "one two three"),)))
    assert str(refused.value).startswith("The text a.txt has 3 tokens; 1120 are needed")


def test_a_text_that_is_too_short_for_the_trials_of_an_unscaled_model_is_enough_for_its_window() -> None:
    texts = (("a.txt", "word " * 600),)
    result = check(PretendedModel(factor=1.0), CheckOptions(texts=texts, windows=4, prompts=1))
    assert {length for at in range(len(result.measured)) for length in lengths(result, at)} == {64, 128, 256}
    assert result.verdict.looks_like_factor == 4.0
