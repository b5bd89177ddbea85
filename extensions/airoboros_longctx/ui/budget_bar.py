"""The bar of the Documents panel: what fills the window, in tokens."""

from __future__ import annotations

import html

from ..prompt_service import PromptBudget

_PARTS = (
    ("preamble", "Preamble"),
    ("documents", "Documents"),
    ("history", "History"),
    ("question", "Question"),
    ("reply", "Reserved reply"),
    ("free", "Free"),
)


def budget_bar(budget: PromptBudget, estimated: bool = False) -> str:
    """The bar as HTML with its numbers as text. ``estimated``: no model is loaded, the numbers are a guess."""
    over = max(0, -budget.free)
    whole = max(1, budget.window + over)
    segments, legend = [], []
    for name, label in _PARTS:
        tokens = max(0, getattr(budget, name))
        if tokens:
            segments.append(f'<span class="part {name}" style="width:{100 * tokens / whole:.3f}%"></span>')
        legend.append(f'<li><span class="key {name}" aria-hidden="true"></span>{label} <b>{tokens}</b></li>')
    words = [f"{budget.window} tokens in all"]
    if estimated:
        words.append("estimated: no model is loaded")
    sentence = f"{over} tokens too many: {_what_gives_way(budget)}" if over else ""
    return (
        f'<div class="airoboros-longctx-budget{" over" if over else ""}">'
        f'<div class="bar" aria-hidden="true">{"".join(segments)}</div>'
        f"<ul>{''.join(legend)}</ul><p>{html.escape('; '.join(words))}.</p>"
        + (f'<p class="over" role="alert">{html.escape(sentence)}</p>' if sentence else "")
        + "</div>"
    )


def _what_gives_way(budget: PromptBudget) -> str:
    if budget.preamble + budget.question + budget.reply >= budget.window:
        return "the question and the reserved reply alone fill the window; shorten them."
    if budget.history:
        return "the oldest turns of the chat are left out first, then the documents are shortened."
    return "the documents are shortened, the longest first, and the cut is marked."
