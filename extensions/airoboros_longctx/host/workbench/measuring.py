"""The workbench's loaded model, handed to a check one forward pass at a time."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Any

from ...core.ports import LoadedModel
from ..taking_turns import taking_turns
from .server_host import ServerHost
from .workbench_host import WorkbenchHost


class WorkbenchMeasuring:
    """The workbench as a ``CheckedHost``."""

    several_people = False

    def __init__(self, host: WorkbenchHost | ServerHost) -> None:
        self._host = host

    def loaded_model(self) -> LoadedModel | None:
        return self._host.loaded_model()

    def tokenizer(self) -> Any | None:
        return self._host.tokenizer

    def count_tokens(self, text: str) -> int:
        return self._host.count_tokens(text)

    def generate(self, prompt: str, tokens: int) -> str:
        replies = list(self._host.generate(prompt, tokens, 0.0, (), threading.Event(), 1.0))
        return replies[-1] if replies else ""

    def between(self) -> AbstractContextManager[None]:
        return taking_turns(self._host.one_at_a_time)
