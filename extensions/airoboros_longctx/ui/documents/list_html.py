"""The list of documents as HTML: a row each, with real buttons that ``documents.js`` gives a meaning."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ...core.documents.shelves import Shelved
from ...core.foreign_text import quoted
from .scope_names import NAMES

HEADING = "Documents"
#: So many shades has the bar for documents; a row and its segment have the same.
SHADES = 6
_SHOWN_PAIRS, _SHOWN_PROBLEMS = 3, 5
_NONE_YET = (
    "<p><b>No documents yet.</b> Add files, paste a text or name a web page below, then ask as usual: the answer comes "
    "from these documents. They enter the prompt, not the chat's history.</p>"
)


def heading(there: Sequence[Shelved]) -> str:
    """The panel's heading, which also a closed panel shows: how many documents are on."""
    on = sum(one.document.on for one in there)
    if not there:
        return HEADING
    return f"{HEADING} · {on} on" if on == len(there) else f"{HEADING} · {on} of {len(there)} on"


def list_html(
    there: Sequence[Shelved],
    tokens: Sequence[int],
    scopes: Sequence[str],
    estimated: bool = False,
    answered: int = 0,
    problems: Sequence[str] = (),
    attached: Sequence[str] = (),
) -> str:
    """Every document with its ``tokens``, in order. ``scopes`` are those to choose from.

    ``answered`` is the number of the request that this list follows; the page's script waits for it. ``problems`` are
    sentences about documents that cannot be shown; ``attached`` the names of files that the host attached to messages.
    """
    rows = []
    for number, (one, count) in enumerate(zip(there, tokens, strict=True)):
        first = number == 0 or there[number - 1].scope != one.scope
        last = number == len(there) - 1 or there[number + 1].scope != one.scope
        counted = f"{'about ' if estimated else ''}{count} token{'' if count == 1 else 's'}"
        rows.append(_row(one, counted, scopes, shade_of(there, number), first, last))
    none = "" if attached else _NONE_YET
    shown = f'<ol aria-label="Documents, in the order of the prompt">{"".join(rows)}</ol>' if rows else none
    if attached:
        shown += f"<p>Then the files attached to messages of this chat: {html.escape(' · '.join(attached))}.</p>"
    said = "".join(f'<p class="problem">{html.escape(problem)}</p>' for problem in problems[:_SHOWN_PROBLEMS])
    return f'<div class="airoboros-longctx-list" data-answered="{answered}">{shown}{said}</div>'


def shade_of(there: Sequence[Shelved], number: int) -> int | None:
    """The shade of a document's segment in the bar: documents that are off have none."""
    if not there[number].document.on:
        return None
    return sum(one.document.on for one in there[:number]) % SHADES


def _row(one: Shelved, counted: str, scopes: Sequence[str], shade: int | None, first: bool, last: bool) -> str:
    document, escape = one.document, html.escape
    wanted, spoken = escape(document.id), escape(document.name)
    pairs = [f"{quoted(key, 30)}: {quoted(value, 80)}" for key, value in document.metadata[:_SHOWN_PAIRS]]
    more = len(document.metadata) - _SHOWN_PAIRS
    pairs += [f"{more} more"] if more > 0 else []

    def button(do: str, label: str, spoken_label: str, end: bool = False) -> str:
        disabled = ' aria-disabled="true"' if end else ""
        return (
            f'<button type="button" data-airoboros-longctx="{do}" data-id="{wanted}" title="{spoken_label}"'
            f' aria-label="{spoken_label}"{disabled}>{label}</button>'
        )

    options = "".join(
        f'<option value="{scope}"{" selected" if scope == one.scope else ""}>{NAMES[scope]}</option>'
        for scope in reversed(scopes)
    )
    key = "key off" if shade is None else f"key document shade-{shade}"
    return (
        f"<li{'' if document.on else ' class=off'}>"
        f'<input type="checkbox" data-airoboros-longctx="switch" data-id="{wanted}" '
        f'aria-label="Answer from {spoken}" title="Answer from this document"{" checked" if document.on else ""}>'
        f'<span class="{key}" aria-hidden="true"></span>'
        f'<span class="name"><b>{spoken}</b> <span class="pairs">{escape(" · ".join(pairs))}</span></span>'
        f'<span class="tokens">{counted}{"" if document.on else " · off"}</span>'
        f'<select data-airoboros-longctx="scope" data-id="{wanted}" aria-label="Where {spoken} belongs" '
        f'title="Where this document belongs">{options}</select>'
        '<span class="buttons">'
        + button("up", "↑", f"Move {spoken} up", first)
        + button("down", "↓", f"Move {spoken} down", last)
        + button("preview", "Preview", f"Preview {spoken}")
        + button("edit", "Edit", f"Edit {spoken}")
        + button("remove", "Remove", f"Remove {spoken}")
        + "</span></li>"
    )
