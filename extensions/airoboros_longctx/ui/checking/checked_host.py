"""What a check needs of the program around it, and the loaded model as the check asks it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Protocol

from ...core.checking.checked_model import CheckedModel, checked_model
from ...core.errors import AiroborosLongctxError
from ...core.ports import LoadedModel, MeasuredModel
from ...service import LongContextService


class NothingToCheckError(AiroborosLongctxError):
    """There is no model that could be measured."""


class CheckedHost(Protocol):
    """The webui or the workbench, as a check uses it."""

    #: True where people who do not know each other use the same server.
    @property
    def several_people(self) -> bool: ...

    def loaded_model(self) -> LoadedModel | None: ...

    def tokenizer(self) -> Any | None:
        """The loaded model's Transformers tokenizer; None where the loader can only generate."""

    def count_tokens(self, text: str) -> int: ...

    def generate(self, prompt: str, tokens: int) -> str: ...

    def between(self) -> AbstractContextManager[Any]:
        """Around one forward pass: nobody else uses the model meanwhile."""


def model_to_check(host: CheckedHost, service: LongContextService) -> CheckedModel:
    """The loaded model. Raises AiroborosLongctxError with a sentence where there is none that can be measured."""
    status, loaded = service.status(), host.loaded_model()
    if loaded is None:
        raise NothingToCheckError("No model is loaded; load one first.")
    checked = checked_model(status, loaded, _measured(host, loaded.model))
    in_place = status.reading is not None and status.reading.modules > 0
    return checked if in_place else replace(checked, live_model=None)


def _measured(host: CheckedHost, model: Any) -> MeasuredModel:
    tokenizer = host.tokenizer()
    if tokenizer is None:
        from ...checking.generating_model import GeneratingModel

        return GeneratingModel(host.generate, host.count_tokens)
    from ...checking.measured_model import LogitsModel

    return LogitsModel(model, tokenizer)


def model_mark(host: CheckedHost, service: LongContextService) -> str:
    """Names the loaded model with all that a check's result depends on; "" without one."""
    loaded = host.loaded_model()
    if loaded is None:
        return ""
    status = service.status()
    runs = status.reading or (status.plan and status.plan.scaling)
    window = status.plan.truncation_length if status.plan is not None else 0
    return "\n".join([loaded.name, loaded.loader, f"{runs}, {window} tokens", *map(str, loaded.adapters)])
