"""A conversation of the workbench: what was said, and how it is shown."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.prompts.plainformat import as_code_block, bare_code
from ..core.replies.reply_safety import safe_reply
from ..core.replies.source_check import SentDocument, check_reply
from ..core.replies.source_notes import source_notes_html

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Said:
    """One turn: what was typed, and the raw reply. ``code``: it was asked for in PLAINFORMAT.

    ``documents``: it is a reply over documents, and ``sources`` is what was found about its sources, as HTML.
    """

    question: str
    reply: str = ""
    code: bool = False
    documents: bool = False
    sources: str = ""


def messages_of(conversation: Sequence[Said]) -> Messages:
    """The conversation as the chat shows it; a PLAINFORMAT reply is one code block from its first token."""
    messages: Messages = []
    for said in conversation:
        messages.append({"role": "user", "content": said.question})
        messages.append({"role": "assistant", "content": _shown(said) or "…"})
    return messages


def _shown(said: Said) -> str:
    if said.code and said.reply:
        # Gradio's Markdown takes the last line end for its own; the page's buttons take it off again.
        return as_code_block(bare_code(said.reply) + "\n", "plainformat")
    if not said.documents:
        return said.reply
    reply = safe_reply(said.reply, html_escaped=False)
    return f"{reply}\n\n{said.sources}" if said.sources else reply


def sources_of(reply: str, sent: Sequence[SentDocument], question: str) -> str:
    """What is said under a finished reply about its sources, as HTML; "" where nothing was sent or can be said."""
    if not sent or not reply.strip():
        return ""
    try:
        return source_notes_html(check_reply(reply, sent, question))
    except Exception as error:  # a reply is there, and stays, whatever goes wrong with its note
        return html.escape(f"The sources of this reply could not be checked: {type(error).__name__}: {error}")


def turns_of(conversation: Sequence[Said]) -> list[tuple[str, str]]:
    """The turns (user, assistant) of a conversation, oldest first, as they were said."""
    return [(said.question, said.reply) for said in conversation]
