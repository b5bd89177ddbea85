"""Context lengths, pieces of text, and the text that ships."""

from __future__ import annotations

import math
import sys

import pytest

from extensions.airoboros_longctx.core.checking.check_options import CheckError
from extensions.airoboros_longctx.core.checking.context_lengths import (
    context_lengths,
    next_trial_factor,
    trial_factors,
    trial_lengths,
)
from extensions.airoboros_longctx.core.checking.documentation_text import documentation_topics
from extensions.airoboros_longctx.core.checking.pace import Pace
from extensions.airoboros_longctx.core.checking.scored_pieces import (
    needed_tokens,
    perplexity_point,
    piece_tokens,
    scored_pieces,
)


def test_the_lengths_double_from_64_to_the_window() -> None:
    assert context_lengths(1024) == (64, 128, 256, 512, 1024)
    assert context_lengths(3000) == (64, 128, 256, 512, 1024, 2048, 3000)
    assert context_lengths(50) == (50,)
    assert context_lengths(1024, (512, 64, 64)) == (64, 512)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (
            (64, 4096),
            "A context of 4096 tokens was asked for, and the model's window has 1024; ask for lengths up to 1024.",
        ),
        ((1,), "A context of 1 tokens was asked for; at least 2 are needed, such as 64."),
    ],
)
def test_a_length_that_cannot_be_measured_is_refused(asked: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(CheckError) as refused:
        context_lengths(1024, asked)
    assert str(refused.value) == sentence


def test_a_trial_is_made_where_both_factors_should_read() -> None:
    lengths = context_lengths(8192)
    assert trial_lengths(lengths, 2048, 4, 2) == (1024, 2048, 4096)
    assert trial_lengths(lengths, 2048, 4, 8) == (2048, 4096, 8192)
    assert trial_lengths((64, 128), 2048, 4, 2) == (64, 128)
    assert trial_lengths((3000,), 2048, 4, 1) == (3000,)


def test_the_trials_of_an_unscaled_model_reach_beyond_its_window() -> None:
    lengths = context_lengths(2048)
    assert trial_lengths(lengths, 2048, 1, 2) == (512, 1024, 2048)
    assert trial_lengths(lengths, 2048, 1, 8) == (2048, 4096, 8192)


def test_the_next_factor_lies_beyond_a_best_one_at_the_edge() -> None:
    assert trial_factors(4) == (2, 8)
    assert trial_factors(1) == (2, 4, 8)
    assert trial_factors(1.5) == (1, 3)
    assert next_trial_factor(4, [4, 2, 8]) is None
    assert next_trial_factor(8, [4, 2, 8]) == 16
    assert next_trial_factor(2, [4, 2, 8]) == 1
    assert next_trial_factor(1, [1, 2, 4, 8]) is None
    assert next_trial_factor(32, [16, 32]) is None


def test_a_piece_is_half_of_the_shortest_context_and_at_most_256_tokens() -> None:
    assert [piece_tokens(shortest) for shortest in (2, 3, 64, 512, 2048)] == [1, 1, 32, 256, 256]


def test_every_length_ends_with_the_same_pieces() -> None:
    pieces = scored_pieces([("text", range(1000, 1900))], (8, 64, 100), 10)
    assert pieces.scored == 4
    assert [end for _, end in pieces.ends] == [100, 188, 276, 364, 452, 544, 632, 720, 808, 900]
    for length in (8, 64, 100):
        assert pieces.rows(length) == [tuple(range(1000 + end - length, 1000 + end)) for _, end in pieces.ends]


def test_pieces_do_not_overlap_and_fill_a_text_that_is_just_long_enough() -> None:
    needed = needed_tokens((64, 256), 5)
    assert needed == 256 + 4 * 32
    pieces = scored_pieces([("text", range(needed))], (64, 256), 5)
    assert [end for _, end in pieces.ends] == [256, 288, 320, 352, 384]


def test_pieces_come_from_every_text_that_is_long_enough() -> None:
    pieces = scored_pieces([("a", range(300)), ("b", range(10)), ("c", range(300))], (64, 256), 4)
    assert [number for number, _ in pieces.ends] == [0, 0, 2, 2]


def test_a_text_that_is_too_short_is_refused_with_what_it_needs() -> None:
    with pytest.raises(CheckError) as refused:
        scored_pieces([("tale.txt", range(1000))], (64, 1024), 16)
    assert str(refused.value) == (
        "The text tale.txt has 1000 tokens; 1120 are needed to measure contexts up to 1024 tokens. Give a longer text, "
        "or shorter contexts."
    )


def test_perplexity_is_e_to_the_mean_loss() -> None:
    point = perplexity_point(64, [1.0, 2.0, 3.0], 32)
    assert (point.perplexity, point.scored_tokens, point.log_losses) == (math.exp(2.0), 96, (1.0, 2.0, 3.0))
    assert perplexity_point(64, [800.0], 32).perplexity == math.inf


def test_the_documentation_is_long_plain_and_in_an_order_of_its_own_for_each_seed() -> None:
    topics = documentation_topics()
    assert sum(map(len, topics)) > 300_000
    assert documentation_topics() == topics != documentation_topics(1)
    assert sorted(documentation_topics(1)) == sorted(topics)
    assert not any("`" in topic or "***" in topic or "  " in topic for topic in topics)


def test_a_python_without_its_documentation_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(CheckError) as refused:
        documentation_topics()
    assert str(refused.value) == (
        "This Python was installed without its documentation, which is measured where no text is given; give a text "
        "of your own."
    )


def test_the_pace_tells_the_share_and_the_time_left() -> None:
    pace = Pace()
    pace.plan(1000)
    first = pace.after(250, 5.0, "reading")
    assert (first.share, first.seconds_left, first.doing) == (0.25, 15.0, "reading")
    pace.plan(4000)
    assert pace.after(250, 10.0, "reading").share == 0.25
    assert pace.after(4500, 100.0, "reading").seconds_left == 0.0
