"""What both hosts of the workbench share: the parts of the ``Host`` port that need no loader."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ...core.context_plan import ContextPlan, PlanRequest
from ...core.errors import AiroborosLongctxError
from ...core.mechanisms import LOADER_SETTING
from ...core.ports import LoadedModel, Undo
from ...core.rope_scaling import RopeReading

_logger = logging.getLogger("airoboros_longctx")


class WorkbenchError(AiroborosLongctxError):
    """Something asked of the workbench that cannot be done."""


class WorkbenchBase:
    """One model and no settings of its own. ``truncation_length`` is in tokens."""

    loader = ""

    def __init__(self, data_folder: Path) -> None:
        self._data_folder = data_folder
        self._loaded: LoadedModel | None = None
        self.one_at_a_time: AbstractContextManager[Any] = threading.Lock()
        self.tokenizer: Any = None
        self.truncation_length = 0

    def model_path(self, model_name: str) -> Path:
        return Path(model_name)

    def loaded_model(self) -> LoadedModel | None:
        return self._loaded

    def user_request(self, model_name: str, loader: str | None) -> PlanRequest:
        return PlanRequest()

    def use_loader_settings(self, plan: ContextPlan) -> Undo:
        if plan.mechanism != LOADER_SETTING:
            return lambda: None
        raise WorkbenchError(
            f"{plan.loader} was planned with settings of its own; the workbench has {self.loader} only."
        )

    def finish_load(self, plan: ContextPlan, model: Any) -> tuple[str, ...]:
        return ()

    def read_loader(self, plan: ContextPlan, model: Any) -> RopeReading | None:
        return None

    def is_asleep(self) -> bool:
        return False

    def use_window(self, plan: ContextPlan) -> Undo:
        before, self.truncation_length = self.truncation_length, plan.truncation_length

        def undo() -> None:
            self.truncation_length = before

        return undo

    def use_template(self, plan: ContextPlan) -> Undo:
        return lambda: None  # the workbench asks the plan for it, at each prompt

    def rules_file(self) -> Path:
        return self._data_folder / "rules.yaml"

    def log(self, message: str, *, problem: bool = False) -> None:
        _logger.log(logging.WARNING if problem else logging.INFO, "[airoboros_longctx] %s", message)


def until_stop(pieces: Iterator[str], stop: tuple[str, ...]) -> Iterator[str]:
    """The text so far, piece by piece, ended before the first stop string."""
    text = ""
    for piece in pieces:
        text += piece
        cut = min((found for found in map(text.find, stop) if found >= 0), default=None)
        if cut is not None:
            yield text[:cut].rstrip()
            return
        yield text
