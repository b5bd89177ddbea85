"""A conversation of the workbench: what was said, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.plainformat import as_code_block, bare_code

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Said:
    """One turn: what was typed, and the raw reply. ``code``: it was asked for in PLAINFORMAT."""

    question: str
    reply: str = ""
    code: bool = False


def messages_of(conversation: Sequence[Said]) -> Messages:
    """The conversation as the chat shows it; a PLAINFORMAT reply is one code block from its first token."""
    messages: Messages = []
    for said in conversation:
        # Gradio's Markdown takes the last line end for its own; the page's buttons take it off again.
        shown = as_code_block(bare_code(said.reply) + "\n", "plainformat") if said.code and said.reply else said.reply
        messages.append({"role": "user", "content": said.question})
        messages.append({"role": "assistant", "content": shown or "…"})
    return messages


def turns_of(conversation: Sequence[Said]) -> list[tuple[str, str]]:
    """The turns (user, assistant) of a conversation, oldest first, as they were said."""
    return [(said.question, said.reply) for said in conversation]
