"""The bar of the Documents panel: what fills the window, in tokens."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ...prompt_service import BuiltPrompt, PromptBudget

_PARTS = (
    ("preamble", "Preamble"),
    ("documents", "Documents"),
    ("history", "History"),
    ("question", "Question"),
    ("reply", "Reserved reply"),
    ("free", "Free"),
)


def budget_bar(budget: PromptBudget, estimated: bool = False, gives_way: Sequence[str] = ()) -> str:
    """The bar as HTML with its numbers as text. ``gives_way`` says what happens to what does not fit.

    ``estimated``: no model is loaded, the numbers are a guess.
    """
    over = max(0, -budget.free)
    whole = max(1, budget.window + over)
    segments, legend = [], []
    for name, label in _PARTS:
        tokens = max(0, getattr(budget, name))
        if tokens:
            segments.append(f'<span class="part {name}" style="width:{100 * tokens / whole:.3f}%"></span>')
        legend.append(f'<li><span class="key {name}" aria-hidden="true"></span>{label} <b>{tokens}</b></li>')
    if over:
        segments.append(f'<span class="window-end" style="left:{100 * budget.window / whole:.3f}%"></span>')
    words = [f"{budget.window} tokens in all", *(["estimated: no model is loaded"] if estimated else [])]
    sentences = [f"{'; '.join(words)}."]
    if budget.defused:
        signs = "sign" if budget.defused == 1 else "signs"
        sentences.append(
            f"{budget.defused} {signs} in the documents that the model would read as structure {_were(budget.defused)} "
            "made harmless."
        )
    shown = f"<p>{html.escape(' '.join(sentences))}</p>"
    if over:
        needed = " ".join([f"{over} tokens too many.", *(gives_way or [_what_gives_way(budget)])])
        shown += f'<p class="over" role="alert">{html.escape(needed)}</p>'
    return (
        f'<div class="airoboros-longctx-budget{" over" if over else ""}">'
        f'<div class="bar" aria-hidden="true">{"".join(segments)}</div><ul>{"".join(legend)}</ul>{shown}</div>'
    )


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def what_gave_way(built: BuiltPrompt) -> list[str]:
    """What a prompt that was built to fit left out, in sentences."""
    sentences = []
    if built.dropped_turns == 1:
        sentences.append("The oldest turn of the chat is left out.")
    elif built.dropped_turns:
        sentences.append(f"The {built.dropped_turns} oldest turns of the chat are left out.")
    for cut in built.shortened[:3]:
        sentences.append(
            f"Document {cut.document + 1} of those that are on keeps its first {cut.kept_characters} of "
            f"{cut.of_characters} characters."
        )
    more = len(built.shortened) - 3
    if more > 0:
        sentences.append(f"{more} more {'is' if more == 1 else 'are'} shortened.")
    return sentences


def _what_gives_way(budget: PromptBudget) -> str:
    if budget.preamble + budget.question + budget.reply >= budget.window:
        return "The question and the reserved reply alone fill the window; shorten them."
    if budget.history:
        return "The oldest turns of the chat are left out first, then the documents are shortened."
    return "The documents are shortened, the longest first, and the cut is marked."
