"""The exact prompt as HTML: its text is the prompt to the letter, with the six delimiters marked."""

from __future__ import annotations

import html
import re

from ...core.prompts.closed_context import DELIMITERS

_DELIMITER = re.compile(rf"(?<![\w-])({'|'.join(DELIMITERS)})(?![\w-])")


def exact_prompt_html(prompt: str) -> str:
    """``prompt`` to read and to copy; what stands in the ``code`` element is exactly it."""
    pieces = _DELIMITER.split(prompt)  # every other piece is a delimiter
    shown = "".join(
        f'<b class="delimiter">{piece}</b>' if number % 2 else exact_text(piece) for number, piece in enumerate(pieces)
    )
    return (
        '<section class="airoboros-longctx-exact" aria-label="Exact prompt">'
        f"<header><b>Exact prompt</b> <span>as it was when you asked for it · {len(prompt)} characters</span>"
        '<button type="button" data-airoboros-longctx="copy">Copy prompt</button></header>'
        f'<pre tabindex="0"><code>{shown}</code></pre></section>'
    )


def exact_text(text: str) -> str:
    """``text`` as HTML that gives every character of it back: a parser would make line ends of a lone ``\\r``."""
    return html.escape(text).replace("\r", "&#13;")
