"""The bar of the Documents panel: what fills the window, in tokens."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import zip_longest

from ...prompt_service import PromptBudget
from .list_html import SHADES

_LABELS = {
    "preamble": "Preamble",
    "documents": "Documents",
    "history": "History",
    "question": "Question",
    "reply": "Reserved reply",
    "free": "Free",
}


def budget_bar(
    budget: PromptBudget, titles: Sequence[str] = (), estimated: bool = False, gives_way: Sequence[str] = ()
) -> str:
    """The bar as HTML with its numbers as text, a segment for each document.

    ``titles`` name the documents that are on, in order. ``gives_way`` says what is left out of what does not fit.
    ``estimated``: no tokenizer is at hand, the numbers are a guess.
    """
    over = max(0, -budget.free)
    whole = max(1, budget.window + over)
    segments, legend = [], []
    for name, label in _LABELS.items():
        if name == "documents":
            tokens = sum(budget.documents)
            segments += _documents(budget.documents, titles, whole)
        else:
            tokens = max(0, getattr(budget, name))
            segments.append(_segment(name, label, tokens, whole))
        legend.append(f'<li><span class="key {name}" aria-hidden="true"></span>{label} <b>{tokens}</b></li>')
    if over:
        segments.append(f'<span class="window-end" style="left:{100 * budget.window / whole:.3f}%"></span>')
    sentences = [f"{budget.window} tokens in all{'; estimated: no tokenizer is at hand' if estimated else ''}."]
    if budget.defused:
        one = budget.defused == 1
        sentences.append(
            f"{budget.defused} {'sign' if one else 'signs'} in the documents that the model would read as structure "
            f"{'was' if one else 'were'} made harmless."
        )
    shown = f"<p>{html.escape(' '.join(sentences))}</p>"
    if over:
        needed = " ".join([f"{over} tokens too many.", *gives_way])
        shown += f'<p class="over" role="status">{html.escape(needed)}</p>'
    return (
        f'<div class="airoboros-longctx-budget{" over" if over else ""}">'
        f'<div class="bar" aria-hidden="true">{"".join(segments)}</div>'
        f'<ul aria-label="What fills the window, in tokens">{"".join(legend)}</ul>{shown}</div>'
    )


def _documents(documents: Sequence[int], titles: Sequence[str], whole: int) -> list[str]:
    pairs = zip_longest(documents, titles[: len(documents)], fillvalue="")
    return [
        _segment(f"document shade-{number % SHADES}", str(title) or f"Document {number + 1}", int(tokens or 0), whole)
        for number, (tokens, title) in enumerate(pairs)
    ]


def _segment(name: str, label: str, tokens: int, whole: int) -> str:
    if not tokens:
        return ""
    title = html.escape(f"{label}: {tokens} token{'' if tokens == 1 else 's'}")
    return f'<span class="part {name}" title="{title}" style="width:{100 * tokens / whole:.3f}%"></span>'
