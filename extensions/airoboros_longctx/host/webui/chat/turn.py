"""One prompt that the webui is about to build, rendered by the webui's own function from a copy of its state."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .attachments import without_attached_text

#: Rendering is measured uncut: no chat is this long, in tokens.
_NO_LIMIT = 1 << 40
_END_OF_INSTRUCTION = "\nENDINSTRUCTION"


class WebuiTurn:
    """A ``ChatTurn`` over ``generate_chat_prompt``. ``reply_start`` is what its release leaves off the prompt's end.

    ``tokenizer_id`` names the loaded model's tokenizer; "" where nothing names it. ``without_attached``: text that the
    webui attached to messages stays out of the prompt.
    """

    def __init__(
        self,
        build: Callable[..., Any],
        state: dict[str, Any],
        arguments: dict[str, Any],
        count_tokens: Callable[[str], int],
        tokenizer_id: str = "",
        reply_start: str = "",
        without_attached: bool = False,
    ) -> None:
        self._build = build
        self._state = state
        self._arguments = {key: value for key, value in arguments.items() if key != "history"}
        self._history = arguments.get("history", state["history"])
        self._reply_start = reply_start
        self._without_attached = without_attached
        self.count_tokens = count_tokens
        self.tokenizer_id = tokenizer_id
        self.continues = bool(arguments.get("_continue", False))
        self.impersonates = bool(arguments.get("impersonate", False))

    @property
    def turns(self) -> int:
        return max(0, len(self._history["internal"]) - self.continues)

    @property
    def limit_tokens(self) -> int:
        return int(self._state["truncation_length"]) - int(self._state["max_new_tokens"])

    @property
    def question(self) -> str:
        """The user's text of the row that is continued; "" where a new one is asked."""
        return str(self._history["internal"][-1][0]) if self.continues else ""

    def render(self, message: str, turns: int) -> str:
        history = self.history_with(message, turns)
        state = {**self._state, "mode": "instruct", "truncation_length": _NO_LIMIT, "history": history}
        arguments = {**self._arguments, "history": history, "impersonate": False}
        output = self._build("" if self.continues else message, state, **arguments)
        prompt = str(output[0] if arguments.get("also_return_rows") else output)
        if self.impersonates:  # the person's own question is written next: the instruction stays open
            before, _, _ = prompt.rpartition(message)
            return before + message.removesuffix(_END_OF_INSTRUCTION)
        return prompt if self.continues else prompt + self._reply_start

    def history_with(self, message: str | None, turns: int) -> dict[str, Any]:
        """A copy of the history with its last ``turns`` turns, and ``message`` in the row that is continued.

        The original is what the webui saves: it is never touched.
        """
        first = self.turns - turns
        history = {**self._history}
        for key in ("internal", "visible"):
            history[key] = copy.deepcopy(self._history.get(key, [])[first:])
        if self.continues and message is not None:
            history["internal"][-1][0] = message
        metadata = {}
        for key, value in (self._history.get("metadata") or {}).items():
            role, _, row = key.rpartition("_")
            if row.isdigit() and int(row) >= first:
                metadata[f"{role}_{int(row) - first}"] = value
        if "metadata" in history:
            history["metadata"] = without_attached_text(metadata) if self._without_attached else metadata
        return history
