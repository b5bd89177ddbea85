"""How replies are shown, from the first streamed token; the history keeps their text.

PLAINFORMAT replies are one code block. In replies over documents nothing leaks out, and their sources stand below.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from ....core.prompts.plainformat import bare_code
from ....core.replies.reply_safety import safe_reply
from .marks import ReplyMark, marks_of

_PLAINFORMAT = "plainformat"


class WebuiDisplay:
    """The wrapper around ``chat_html_wrapper``. ``waiting`` is what the webui shows before the first token;
    ``escapes_html`` is False for a webui that puts a reply into its page as it is; ``log`` takes what went wrong."""

    def __init__(
        self, waiting: Callable[[], str], escapes_html: Callable[[], bool], log: Callable[[str], None]
    ) -> None:
        self._waiting = waiting
        self._escapes_html = escapes_html
        self._log = log

    def chat_html_wrapper(self, original: Callable[..., Any], history: Any, *more: Any, **named: Any) -> Any:
        return original(self.shown(history), *more, **named)

    def shown(self, history: Any) -> Any:
        """``history`` as it is safe to show, with code as code and notes about sources; itself where there are none."""
        marks = dict(marks_of(history))
        if not marks:
            return history
        visible = [list(row) for row in history["visible"]]
        for number, mark in marks.items():
            if number < len(visible) and visible[number][1] not in ("", self._waiting()):
                internal = history["internal"][number][1] if number < len(history["internal"]) else ""
                visible[number][1] = self._shown(visible[number][1], internal, mark)
        return {**history, "visible": visible}

    def _shown(self, reply: str, internal: str, mark: ReplyMark) -> str:
        if mark.code:
            return code_block(reply, self._escapes_html())
        if not mark.documents:
            return reply
        safe, note = safe_reply(reply, self._escapes_html()), self._note(mark, internal)
        return f"{end_of_blocks(safe)}\n\n{note}" if note else safe

    def _note(self, mark: ReplyMark, internal: str) -> str:
        """A note that fails must not bring back the reply as it was."""
        try:
            from ....core.replies.source_notes import source_notes_html  # here, so that the webui starts without it

            check = mark.check_of(internal)
            return source_notes_html(check) if check is not None else ""
        except Exception as error:
            self._log(f"The note about a reply's sources could not be shown: {type(error).__name__}: {error}.")
            return ""


def end_of_blocks(reply: str) -> str:
    """``reply`` with its open code block closed, as the webuis themselves look for one."""
    lines = re.sub("(.)```", "\\1\n```", re.sub(r"\\(?:begin|end){code}", "```", reply)).split("\n")
    return reply + "\n```" if sum(line.strip().startswith("```") for line in lines) % 2 else reply


def code_block(reply: str, html_escaped: bool) -> str:
    """The reply's bare code as a code block that no webui's Markdown can change: every sign is an entity.

    Webuis that escape a reply's HTML unescape it in code blocks, and rewrite much else before (quotes, LaTeX, blank
    lines): there it is Markdown in one line. The older ones show HTML as it is.
    """
    code = bare_code(html.unescape(reply) if html_escaped else reply)
    signs = "".join(sign if sign.isalnum() and sign.isascii() else f"&#{ord(sign)};" for sign in code)
    if html_escaped:
        return f"```{_PLAINFORMAT}\n{signs}\n```"
    return f'<pre><code class="language-{_PLAINFORMAT}">{signs}</code></pre>'
