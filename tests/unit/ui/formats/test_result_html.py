"""What a reply says, as HTML: in parts, and never as markup."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from extensions.airoboros_longctx.core.formats import function_calling
from extensions.airoboros_longctx.core.formats.call_check import FunctionCall
from extensions.airoboros_longctx.core.formats.plan_steps import Plan, PlanStep
from extensions.airoboros_longctx.core.formats.ranked_reasoning import Rank, RankedAnswer, Solution
from extensions.airoboros_longctx.plans.progress import DONE, FAILED, STOPPED, PlanProgress, StepProgress
from extensions.airoboros_longctx.ui.formats.plan_html import plan_html
from extensions.airoboros_longctx.ui.formats.result_html import result_html, text_html

EVIL = "<img src=x onerror=alert(1)>&\"'"
SAFE = "&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#x27;"


@dataclass(frozen=True)
class Unknown:
    said: str
    parts: tuple[str, ...]


RANKED = RankedAnswer(
    answer=EVIL,
    solutions=(Solution(1, EVIL, EVIL), Solution(2, "b", "")),
    ranking=(Rank(1, 2, EVIL), Rank(2, 1, "")),
    notes=(EVIL,),
)
STEP = PlanStep(":evidence0:", EVIL, EVIL, EVIL, (), 1)
PROGRESS = StepProgress(":evidence0:", EVIL, EVIL, FAILED, EVIL, EVIL, EVIL, 1.0)


@pytest.mark.parametrize(
    ("shown", "times"),
    [
        (text_html(EVIL), 1),
        (result_html(RANKED, None), 5),
        (result_html(Plan((STEP,), EVIL, (), ":evidence0:"), None), 4),
        (plan_html(PlanProgress(FAILED, (PROGRESS,), EVIL, EVIL)), 7),
        (result_html(Unknown(EVIL, ("a",)), None), 1),
    ],
)
def test_everything_is_escaped(shown, times):
    assert "<img" not in shown
    assert shown.count(SAFE) == times


@pytest.mark.parametrize(("state", "alerts"), [(FAILED, 2), (STOPPED, 0)])
def test_what_was_stopped_is_no_alarm(state, alerts):
    step = StepProgress(":evidence0:", "", "Search", state, "harbor", "", "It was stopped.", 1.0)
    assert plan_html(PlanProgress(state, (step,), "", "The plan was stopped.")).count('role="alert"') == alerts


def test_of_very_many_values_the_first_are_shown():
    functions = {"find": {"description": "Finds.", "params": {"places": {"name": "Its name."}}}}
    request = function_calling.request_from({"input": "?", "functions": functions})
    shown = result_html(FunctionCall("find", {"places": [{"name": "quay"}] * 201}), request)
    assert shown.count("<td>quay</td>") == 200
    assert "The first 200 values are shown; the reply itself has all of them." in shown


def test_a_call_is_a_table_of_what_was_stated():
    functions = {"find": {"description": "Finds.", "params": {"word": "What.", "where": "Where."}}}
    request = function_calling.request_from({"input": "?", "functions": functions})
    shown = result_html(FunctionCall("find", {"word": EVIL}, ("where",), ("It states no where.",)), request)
    assert shown == (
        '<table class="airoboros-longctx-call"><tr><th>function</th><td>find</td></tr>'
        f"<tr><th>word</th><td>{SAFE}</td></tr></table>"
        '<p class="airoboros-longctx-note">It states no where.</p>'
        '<p class="airoboros-longctx-note">Nothing was called: this is what the model chose.</p>'
    )


def test_the_answer_stands_first_and_the_solutions_by_rank():
    ranked = RankedAnswer(
        answer="7",
        solutions=(Solution(1, "six", "6"), Solution(2, "seven", "7")),
        ranking=(Rank(1, 2, ""), Rank(2, 1, "")),
        notes=(),
    )
    shown = result_html(ranked, None)
    assert shown.startswith('<p class="airoboros-longctx-answer">7</p><details><summary>1. Solution 2: 7</summary>')
    assert shown.index("2. Solution 1: 6") > shown.index("1. Solution 2: 7")


def test_a_result_without_a_view_is_shown_as_its_fields():
    shown = result_html(Unknown("", ("a", "é")), None)
    assert "<tr><th>parts</th><td>[&quot;a&quot;, &quot;é&quot;]</td></tr>" in shown


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "done"), (0.049, "done"), (0.06, "done · 0.1 s"), (61.2, "done · 61.2 s")]
)
def test_seconds_that_would_be_none_are_not_shown(seconds, said):
    step = StepProgress(":evidence0:", "Look.", "Find", DONE, "it", seconds=seconds)
    assert f"<small>{said}</small>" in plan_html(PlanProgress(DONE, (step,)))


def test_a_steps_state_is_said_in_words_and_as_its_class():
    step = StepProgress(":evidence1:", "", "Find", STOPPED, "it", problem="It was stopped.")
    assert '<li class="stopped"><span aria-hidden="true">■</span>' in plan_html(PlanProgress(STOPPED, (step,)))
    assert "<p>It was stopped.</p>" in plan_html(PlanProgress(STOPPED, (step,)))
