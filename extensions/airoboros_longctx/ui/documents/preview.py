"""A document's text to read, with a passage marked."""

from __future__ import annotations

import html

from ...core.documents.chat_session import ChatDocument
from .exact_prompt import exact_text

#: The most text that is shown at once, in characters: a page with more is slow.
MOST_SHOWN = 200_000


def preview_html(document: ChatDocument, start: int = 0, end: int = 0, number: int = 0) -> str:
    """The text around the passage from ``start`` to ``end``, offsets in the document's text; 0, 0 is no passage.

    ``number`` is that of the request, so that the page's script can tell a new preview from the one before.
    """
    text = document.text
    start, end = min(start, len(text)), min(end, len(text))
    if end <= start:
        start = end = 0
    end = min(end, start + MOST_SHOWN)
    first = max(0, min(start - (MOST_SHOWN - (end - start)) // 2, len(text) - MOST_SHOWN))
    last = min(len(text), first + MOST_SHOWN)
    marked = f'<mark tabindex="-1">{exact_text(text[start:end])}</mark>' if end else ""
    shown = exact_text(text[first:start]) + marked + exact_text(text[end if end else first : last])
    part = f"Characters {first + 1} to {last} of {len(text)}." if last - first < len(text) else ""
    name = html.escape(document.name)
    return (
        f'<section class="airoboros-longctx-preview" aria-label="Preview of {name}" data-number="{number}">'
        f"<header><b>{name}</b> <span>{part}</span>"
        '<button type="button" data-airoboros-longctx="close-preview">Close preview</button></header>'
        f'<pre tabindex="0"><code>{shown}</code></pre></section>'
    )
