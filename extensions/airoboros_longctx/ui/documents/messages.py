"""Words of the panel to the person, as HTML; everything shown is escaped."""

from __future__ import annotations

import html

from ...core.errors import AiroborosLongctxError


def sentence_of(error: Exception, what: str) -> str:
    """What went wrong: the error's own sentence where it has one for people, else ``what`` and the error."""
    return str(error) if isinstance(error, AiroborosLongctxError) else f"{what}: {type(error).__name__}: {error}"


def note_html(words: str) -> str:
    return f'<p class="airoboros-longctx-note">{html.escape(words)}</p>'


def said_html(words: str, problem: bool = False, undo: bool = False) -> str:
    """``undo``: with a button that takes the last removal back."""
    if not words:
        return ""
    role = "alert" if problem else "status"
    button = '<button type="button" data-airoboros-longctx="undo">Undo</button>' if undo else ""
    return (
        f'<div class="airoboros-longctx-said{" problem" if problem else ""}" role="{role}">'
        f"<p>{html.escape(words)}</p>{button}</div>"
    )
