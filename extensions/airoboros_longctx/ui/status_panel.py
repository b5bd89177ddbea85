"""The status line: what was done to the loaded model and why, and one click to accept a suggestion."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from ..core.context_plan import ContextPlan
from ..core.explanation import plan_rows, suggestion_sentence
from ..core.load_status import LoadStatus, Verdict
from ..service import LongContextService
from .gradio_versions import quiet, refresh_regularly

_MARKS = {Verdict.CONFIRMED: "✔", Verdict.WRONG: "✘", Verdict.LEFT_ALONE: "–", Verdict.NO_MODEL: "–"}


def status_html(status: LoadStatus) -> str:
    """The status as HTML. Everything shown is escaped: names and cards are foreign text."""
    escape = html.escape
    parts = [
        f'<div class="airoboros-longctx-status {escape(status.verdict.value.replace(" ", "-"))}" role="status">',
        f'<span aria-hidden="true">{_MARKS[status.verdict]}</span> ',
        f'<span class="name">{escape(status.model)}</span>' if status.model else "",
        f'<span class="headline">{escape(status.headline)}</span>',
        f'<div class="advice">{escape(status.advice)}</div>' if status.advice else "",
    ]
    if status.plan is not None:
        parts.append(f"<details><summary>Why</summary>{_reasons_html(status.plan)}</details>")
    return "".join([*parts, "</div>"])


def _shown_status(ask: Callable[[], LoadStatus]) -> str:
    """``status_html``, or a sentence where it fails: an error here would be shown again at every refresh."""
    try:
        return status_html(ask())
    except Exception as error:
        sentence = html.escape(f"The status cannot be shown: {type(error).__name__}: {error}")
        return f'<div class="airoboros-longctx-status wrong" role="status">{sentence}</div>'


def _reasons_html(plan: ContextPlan) -> str:
    escape = html.escape
    rows = []
    for row in plan_rows(plan):
        reason = row.reason
        why = f"{escape(reason.because)} <span>({escape(reason.source)})</span>" if reason is not None else ""
        rows.append(f"<dt>{escape(row.label)}</dt><dd><b>{escape(row.value)}</b> {why}</dd>")
    notes = [suggestion_sentence(plan.suggestion)] if plan.suggestion is not None else []
    notes += [f"Warning: {warning}" for warning in plan.warnings]
    return f"<dl>{''.join(rows)}</dl>" + "".join(f"<p>{escape(note)}</p>" for note in notes)


def create_status_panel(
    service: LongContextService, refresh_seconds: float, mark: Any = None, model_mark: Callable[[], str] = str
) -> Any:
    """Create the status line inside the current Gradio page. Returns its HTML component.

    ``mark`` is a text field that each refresh sets to ``model_mark()``, where that is not what it says already.
    """
    import gradio as gr

    line = gr.HTML(_shown_status(service.status), elem_id="airoboros-longctx-status-line")
    accept = gr.Button("Accept the suggested scaling", visible=False, elem_id="airoboros-longctx-accept")

    def shown(ask: Callable[[], LoadStatus]) -> list[Any]:
        text, suggestion = _shown_status(ask), service.suggestion()
        label = f"Scale it ×{suggestion.scaling.factor:g}, as suggested" if suggestion is not None else ""
        return [text, gr.update(visible=suggestion is not None, value=label)]

    marks = [] if mark is None else [mark]

    def on_refresh(on_the_page: str = "", *known: str) -> list[Any]:
        text, button = shown(service.status)
        now = [gr.update() if (model_mark(),) == known else model_mark()] if marks else []
        # Writing the same again would close the reasons under the reader's eyes, and make an old Gradio's page jump.
        return [gr.update(), gr.update(), *now] if text == on_the_page else [text, button, *now]

    def on_accept() -> list[Any]:
        return shown(service.accept_suggestion)

    accept.click(on_accept, None, [line, accept], **quiet(accept.click))
    refresh_regularly(on_refresh, [line, *marks], [line, accept, *marks], refresh_seconds)
    return line
