"""What a reply in a format says, as HTML. All of it is the model's text: everything is escaped."""

from __future__ import annotations

import dataclasses
import functools
import html
import itertools
import json
from collections.abc import Iterable
from typing import Any

from ...core.formats.call_check import FunctionCall
from ...core.formats.call_table import call_rows
from ...core.formats.function_calling import FunctionRequest
from ...core.formats.plan_steps import Plan
from ...core.formats.ranked_reasoning import RankedAnswer
from ..documents.messages import note_html

_MOST_ROWS = 200


@functools.singledispatch
def result_html(result: Any, request: Any) -> str:
    """What the reply to ``request`` says; a result that has no view of its own here is shown as its fields."""
    fields = dataclasses.asdict(result) if dataclasses.is_dataclass(result) else {"result": result}  # type: ignore[arg-type]
    return _table((name, _shown(value)) for name, value in fields.items())


@result_html.register
def _(call: FunctionCall, request: FunctionRequest) -> str:
    function = next(one for one in request.functions if one.name == call.function)
    stated = ((row.path, row.value) for row in call_rows(call, function) if row.stated)
    rows = list(itertools.islice(stated, _MOST_ROWS + 1))
    notes = (*call.notes, "Nothing was called: this is what the model chose.")
    if len(rows) > _MOST_ROWS:
        notes = (f"The first {_MOST_ROWS} values are shown; the reply itself has all of them.", *notes)
    return _table([("function", call.function), *rows[:_MOST_ROWS]]) + "".join(map(note_html, notes))


@result_html.register
def _(ranked: RankedAnswer, request: Any) -> str:
    places = {rank.solution: rank for rank in ranked.ranking}
    solutions = sorted(ranked.solutions, key=lambda solution: places[solution.number].place)
    folded = "".join(
        f"<details><summary>{places[one.number].place}. Solution {one.number}"
        f"{f': {html.escape(one.answer)}' if one.answer else ''}</summary>"
        f"{text_html(one.text)}{note_html(places[one.number].reason) if places[one.number].reason else ''}</details>"
        for one in solutions
    )
    answer = f'<p class="airoboros-longctx-answer">{html.escape(ranked.answer)}</p>'
    return answer + "".join(map(note_html, ranked.notes)) + folded


@result_html.register
def _(plan: Plan, request: Any) -> str:
    steps = "".join(
        f"<li><b>{html.escape(step.evidence)}</b> {html.escape(step.thought)}"
        f"<br><code>{html.escape(step.tool)}[{html.escape(step.input)}]</code></li>"
        for step in plan.steps
    )
    return f'<ol class="airoboros-longctx-steps">{steps}</ol>' + note_html(f"Answer: {plan.answer}")


def text_html(text: str) -> str:
    """Text as it is, its lines kept."""
    return f'<pre class="airoboros-longctx-text">{html.escape(text)}</pre>'


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in rows)
    return f'<table class="airoboros-longctx-call">{cells}</table>'
