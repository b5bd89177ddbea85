"""A result as Markdown, CSV and JSON."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.checking.check_options import CheckError
from extensions.airoboros_longctx.core.checking.check_result import (
    PASSKEY,
    QUESTION,
    CheckResult,
    CheckVerdict,
    PerplexityPoint,
    RetrievalCell,
    ScalingMeasured,
)
from extensions.airoboros_longctx.core.checking.result_file import as_json, read_result
from extensions.airoboros_longctx.core.checking.tables import as_csv, as_markdown
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling

RESULT = CheckResult(
    "airoboros-33b",
    "Transformers",
    8192,
    2048,
    (
        ScalingMeasured(
            RopeScaling("linear", 4.0, 2048),
            (PerplexityPoint(2048, 7.3412, 64, (1.9, 2.1)), PerplexityPoint(8192, 6.49, 64, (1.8, 1.9))),
            (
                RetrievalCell(PASSKEY, 8192, 0.0, 2, 2),
                RetrievalCell(PASSKEY, 8192, 0.5, 1, 2),
                RetrievalCell(QUESTION, 8192, 0.5, 0, 2),
            ),
        ),
        ScalingMeasured(RopeScaling(), (PerplexityPoint(2048, 123.45, 64), PerplexityPoint(8192, math.inf, 64))),
    ),
    CheckVerdict("right", "Scaled ×4 is right.", 8192, 4.0),
    text_name="tale.txt",
    method="Perplexity: as in the papers.",
    seconds=61.7,
    notes=("A note.",),
)


def test_the_markdown_has_the_verdict_the_tables_and_the_method() -> None:
    assert as_markdown(RESULT) == (
        """# Context check of airoboros-33b

Scaled ×4 is right.

## Perplexity by context length

| context | ×4 (as loaded) | no scaling |
| ---: | ---: | ---: |
| 2048 | 7.34 | 123.5 |
| 8192 | 6.49 | > 10⁶ |

## Pass keys found, by context length and depth

×4 (as loaded); depth 0 is the beginning of the prompt:

| context | 0 | 0.5 |
| ---: | ---: | ---: |
| 8192 | 2 of 2 | 1 of 2 |

## Questions answered, by context length and depth

×4 (as loaded); depth 0 is the beginning of the prompt:

| context | 0.5 |
| ---: | ---: |
| 8192 | 0 of 2 |

Perplexity: as in the papers. Loader Transformers, window 8192 tokens, 62 s. Text: tale.txt.

A note.
"""
    )


def test_a_stopped_check_says_so_and_shows_what_it_has() -> None:
    stopped = replace(RESULT, stopped=True, measured=(ScalingMeasured(RopeScaling()),))
    assert "\n\nThe check was stopped: what was measured until then is shown.\n\nPerplexity:" in as_markdown(stopped)


def test_the_csv_has_a_row_for_each_length() -> None:
    assert as_csv(RESULT) == (
        "context_tokens,×4 (as loaded): perplexity,×4 (as loaded): pass keys found,×4 (as loaded): questions answered,"
        "no scaling: perplexity,no scaling: pass keys found,no scaling: questions answered\n"
        "2048,7.3412,,,123.45,,\n"
        "8192,6.49,0.75,0.0,inf,,\n"
    )


def test_the_json_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(as_json(RESULT), encoding="utf-8")
    assert read_result(path) == RESULT
    assert json.loads(as_json(RESULT))["measured"][1]["perplexity"][1]["perplexity"] is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "The result {path!r} is not there; a result.json of a check is needed."),
        (
            "[1]",
            "The result {path!r} holds a list where a JSON object was expected; a result.json of a check is needed.",
        ),
        ("{}", "The result {path!r} is not one of a check ('format'); a result.json is needed."),
        (
            '{"format": 99}',
            "The result {path!r} is not one of a check (it is of another version); a result.json is needed.",
        ),
    ],
)
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "result.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckError) as refused:
        read_result(path)
    assert str(refused.value) == sentence.format(path=str(path))
