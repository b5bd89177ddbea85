"""A message to the loaded model without the chat's earlier turns: its prompt, and whether it fits the window."""

from __future__ import annotations

from ...core.errors import AiroborosLongctxError
from ...prompt_service import ChatTurn, PageRequest

#: Stands for no message at all, which a webui would not render.
_SHORTEST = "."


def turn_of(request: PageRequest) -> ChatTurn:
    """AiroborosLongctxError where no model is loaded."""
    if request.turn is None:
        raise AiroborosLongctxError("No model is loaded; load one first.")
    return request.turn


def message_tokens(request: PageRequest) -> int:
    """So many tokens a message may take."""
    turn = turn_of(request)
    return turn.limit_tokens - turn.count_tokens(turn.render(_SHORTEST, 0))


def fits(request: PageRequest, message: str) -> bool:
    turn = turn_of(request)
    return turn.count_tokens(turn.render(message, 0)) <= turn.limit_tokens


def prompt_alone(request: PageRequest, message: str) -> str:
    """The exact prompt for ``message``. AiroborosLongctxError where it is too long, or no model is loaded."""
    turn = turn_of(request)
    prompt = turn.render(message, 0)
    tokens = turn.count_tokens(prompt)
    if tokens > turn.limit_tokens:
        raise AiroborosLongctxError(
            f"The message takes {tokens} tokens and {request.reply_tokens} are kept for the reply; the window has "
            f"{turn.limit_tokens + request.reply_tokens}. Shorten what was filled in, or the reply."
        )
    return prompt
