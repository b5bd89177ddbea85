"""The turn that comes next in a conversation of the workbench."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.prompts.instruction_templates import InstructionTemplate, render_conversation
from .server_host import ServerHost
from .workbench_host import WorkbenchHost

#: (user, assistant), oldest first.
Turns = Sequence[tuple[str, str]]


class WorkbenchTurn:
    """A ``ChatTurn`` after the finished turns in ``history``."""

    def __init__(
        self, host: WorkbenchHost | ServerHost, template: InstructionTemplate, history: Turns, reply_tokens: int
    ) -> None:
        self._template = template
        self._history = list(history)
        self.turns = len(self._history)
        self.limit_tokens = host.truncation_length - reply_tokens
        self.count_tokens = host.count_tokens
        self.tokenizer_id = host.tokenizer_id()

    def render(self, message: str, turns: int) -> str:
        return render_conversation(self._template, message, self._history[self.turns - turns :])
