"""How PLAINFORMAT replies are shown: as one code block, from the first streamed token. The history keeps the text."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from ..core.plainformat import bare_code

#: In the history's metadata, at the key that the webuis from v3.4 on use for a reply; before, a key of the history:
#: a list with one entry for each row, because those webuis cut the last entry off every value of a history.
_MARK = "airoboros_longctx"
_PLAINFORMAT = "plainformat"


def mark_plainformat(history: Any, row: int, on: bool) -> None:
    """Remember in ``history``, the live one, whether the reply in ``row`` was asked for in PLAINFORMAT."""
    if not isinstance(history, dict) or "metadata" not in history:
        return
    key = f"assistant_{row}"
    if on:
        history["metadata"].setdefault(key, {})[_MARK] = _PLAINFORMAT
    else:
        history["metadata"].get(key, {}).pop(_MARK, None)


def with_mark(history: Any, row: int, on: bool) -> Any:
    """The same for webuis whose histories have no metadata: a copy that carries the mark to the page."""
    if not isinstance(history, dict) or "metadata" in history or not (on or _MARK in history):
        return history
    marks = [*history.get(_MARK, [])][: row + 1]
    marks += [""] * (row + 1 - len(marks))
    marks[row] = _PLAINFORMAT if on else ""
    return {**history, _MARK: marks}


def _marked_rows(history: dict[str, Any]) -> list[int]:
    metadata = history.get("metadata") or {}
    rows = [
        int(key.removeprefix("assistant_"))
        for key, value in metadata.items()
        if isinstance(value, dict) and value.get(_MARK) == _PLAINFORMAT
    ]
    return rows + [row for row, mark in enumerate(history.get(_MARK, ())) if mark == _PLAINFORMAT]


class WebuiDisplay:
    """The wrapper around ``chat_html_wrapper``. ``waiting`` is what the webui shows before the first token."""

    def __init__(self, waiting: Callable[[], str]) -> None:
        self._waiting = waiting

    def chat_html_wrapper(self, original: Callable[..., Any], history: Any, *more: Any, **named: Any) -> Any:
        return original(self.shown(history), *more, **named)

    def shown(self, history: Any) -> Any:
        """``history`` with the replies marked PLAINFORMAT as code blocks; itself where there are none."""
        rows = _marked_rows(history) if isinstance(history, dict) else []
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
