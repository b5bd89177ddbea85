"""A host and a rope that do as they are told and remember what was asked of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.context_plan import ContextPlan, PlanRequest
from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.mechanisms import LOADER_SETTING, PATCH
from extensions.airoboros_longctx.core.ports import LoadedModel, Undo
from extensions.airoboros_longctx.core.rope_scaling import RopeReading, RopeScaling


class FakeModel:
    """A model that runs ``factor``; None: it has no rotary embedding."""

    def __init__(self, factor: float | None = 1.0) -> None:
        self.factor = factor


class FakeHost:
    """Model names are folder paths; ``window`` is what the host's settings say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mechanisms = {"Transformers": PATCH, "ExLlama": LOADER_SETTING}
        self.asked = PlanRequest()
        self.loaded: LoadedModel | None = None
        self.window = 2048
        self.knob = 1.0
        self.template: str | None = None
        self.reloads = 0
        self.asleep = False
        self.unfinished: tuple[str, ...] = ()
        self.told: RopeReading | None = None
        self.lines: list[str] = []
        self.problems: list[str] = []
        self.broken: set[str] = set()

    def _may_break(self, step: str) -> None:
        if step in self.broken:
            raise RuntimeError(f"{step} broke")

    def capabilities(self) -> Capabilities:
        self._may_break("capabilities")
        return Capabilities("fake", self.mechanisms)

    def model_path(self, model_name: str) -> Path:
        self._may_break("model_path")
        return self.folder / model_name

    def loaded_model(self) -> LoadedModel | None:
        self._may_break("loaded_model")
        return self.loaded

    def is_asleep(self) -> bool:
        self._may_break("is_asleep")
        return self.asleep

    def user_request(self, model_name: str, loader: str | None) -> PlanRequest:
        self._may_break("user_request")
        return self.asked

    def use_loader_settings(self, plan: ContextPlan) -> Undo:
        self._may_break("use_loader_settings")
        if plan.mechanism == LOADER_SETTING:
            self.knob = plan.factor

        def undo() -> None:
            self._may_break("undo use_loader_settings")
            self.knob = 1.0

        return undo

    def finish_load(self, plan: ContextPlan, model: Any) -> tuple[str, ...]:
        self._may_break("finish_load")
        return self.unfinished

    def read_loader(self, plan: ContextPlan, model: Any) -> RopeReading | None:
        self._may_break("read_loader")
        return self.told

    def use_window(self, plan: ContextPlan) -> Undo:
        self._may_break("use_window")
        before, self.window = self.window, plan.truncation_length

        def undo() -> None:
            self.window = before

        return undo

    def use_template(self, plan: ContextPlan) -> Undo:
        self._may_break("use_template")
        before, self.template = self.template, plan.instruction_template

        def undo() -> None:
            self.template = before

        return undo

    def reload_model(self) -> None:
        self._may_break("reload_model")
        self.reloads += 1

    def rules_file(self) -> Path:
        self._may_break("rules_file")
        return self.folder / "rules.yaml"

    def log(self, message: str, *, problem: bool = False) -> None:
        self._may_break("log")
        (self.problems if problem else self.lines).append(message)


class FakeRope:
    """``patched`` is what models that are built now would run."""

    def __init__(self) -> None:
        self.patched = 1.0
        self.scaled_live = 0
        self.broken: set[str] = set()
        self.table_length: int | None = None
        self.runs: float | None = None  # what a scaled model runs instead of the planned factor

    def patch_classes(self, scaling: RopeScaling) -> Undo:
        if "patch_classes" in self.broken:
            raise RuntimeError("patch_classes broke")
        self.patched = scaling.factor

        def undo() -> None:
            if "undo patch_classes" in self.broken:
                raise RuntimeError("undo patch_classes broke")
            self.patched = 1.0

        return undo

    def scale_live(self, model: Any, scaling: RopeScaling) -> Undo:
        if "scale_live" in self.broken:
            raise RuntimeError("scale_live broke")
        self.scaled_live += 1
        model.factor = scaling.factor if self.runs is None else self.runs
        return lambda: None

    def read(self, model: Any, planned: RopeScaling | None = None) -> RopeReading:
        if "read" in self.broken:
            raise RuntimeError("read broke")
        if model.factor is None:
            raise RopeScalingError("This model has no rotary embedding.")
        kind = "default" if model.factor == 1 else "linear"
        return RopeReading(kind, model.factor, 64, 10000.0, 1, 0.0, table_length=self.table_length)
