"""How PLAINFORMAT replies are shown: as one code block, from the first streamed token. The history keeps the text."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from ..core.plainformat import bare_code

#: In the history's metadata, at the key that the newer webuis use for a reply.
_MARK = "airoboros_longctx"
_PLAINFORMAT = "plainformat"


def mark_plainformat(history: Any, row: int, on: bool) -> None:
    """Remember in ``history``, the live one, whether the reply in ``row`` was asked for in PLAINFORMAT."""
    if not isinstance(history, dict):
        return
    key = f"assistant_{row}"
    if on:
        history.setdefault("metadata", {}).setdefault(key, {})[_MARK] = _PLAINFORMAT
    else:
        history.get("metadata", {}).get(key, {}).pop(_MARK, None)


class WebuiDisplay:
    """The wrapper around ``chat_html_wrapper``. ``waiting`` is what the webui shows before the first token."""

    def __init__(self, waiting: Callable[[], str]) -> None:
        self._waiting = waiting

    def chat_html_wrapper(self, original: Callable[..., Any], history: Any, *more: Any, **named: Any) -> Any:
        return original(self.shown(history), *more, **named)

    def shown(self, history: Any) -> Any:
        """``history`` with the replies marked PLAINFORMAT as code blocks; itself where there are none."""
        metadata = history.get("metadata") if isinstance(history, dict) else None
        rows = [
            int(key.removeprefix("assistant_"))
            for key, value in (metadata or {}).items()
            if isinstance(value, dict) and value.get(_MARK) == _PLAINFORMAT
        ]
        if not rows:
            return history
        visible = [list(row) for row in history["visible"]]
        for row in rows:
            if row < len(visible) and visible[row][1] not in ("", self._waiting()):
                visible[row][1] = code_block(html.unescape(visible[row][1]))
        return {**history, "visible": visible}


def code_block(reply: str) -> str:
    """The reply's bare code as a Markdown code block that no webui's Markdown can change.

    Both old and new webuis unescape entities inside code blocks, and rewrite much else before (quotes, LaTeX, blank
    lines): so every sign is an entity and the code is one line of them.
    """
    code = "".join(sign if sign.isalnum() and sign.isascii() else f"&#{ord(sign)};" for sign in bare_code(reply))
    return f"```{_PLAINFORMAT}\n{code}\n```"
