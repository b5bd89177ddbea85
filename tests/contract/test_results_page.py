"""docs/results.md is what its kept checks make of it."""

from __future__ import annotations

from benchmarks import results
from extensions.airoboros_longctx.core.checking.result_file import read_result


def test_the_page_is_the_generated_one() -> None:
    assert results.PAGE.read_text(encoding="utf-8") == results.page()


def test_the_shipped_models_are_right_and_their_curves_have_the_published_shape() -> None:
    """Scaled, perplexity at the end of the window is no higher than at 64 tokens; unscaled it is five times as high."""
    for model in results.BESIDE:
        result = read_result(results.KEPT / f"{model}.json")
        assert result.verdict.kind == "right"
        assert result.verdict.reads_to == result.window
        scaled, unscaled = (one.perplexity for one in result.measured[:2])
        assert result.measured[1].scaling.factor == 1
        assert scaled[-1].perplexity < scaled[0].perplexity
        assert all(two.perplexity > 5 * one.perplexity for one, two in zip(scaled, unscaled, strict=True))
