"""The use cases: plan a load, apply the plan, read the live model back, say what is so.

Nothing here raises into the host: a step that fails becomes a sentence in the status and in the log, and the host
goes on as if this extension were not there.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from .core.context_plan import LOADER_SETTING, PATCH, ContextPlan, Suggestion, UserRule
from .core.errors import AiroborosLongctxError, RopeScalingError
from .core.explanation import summary
from .core.load_status import NO_MODEL_STATUS, LoadStatus, Verdict, judge
from .core.ports import Host, LoadedModel, PrefixCache, Rope, Undo
from .core.rope_scaling import RopeReading
from .core.settings import Settings
from .core.user_rules import add_user_rule
from .kept_prompts import KeptPrompts
from .load_plans import LoadPlans

Result = TypeVar("Result")


def _nothing() -> None:
    """Stands for the weak reference while there is no model."""


@dataclass
class PendingLoad:
    """A load under way: the plan, and what has to be taken back when the loader returns."""

    plan: ContextPlan
    undo: list[Undo] = field(default_factory=list)
    problem: str = ""


class LongContextService:
    """Plans, scales and confirms the models of one host."""

    def __init__(
        self, host: Host, rope: Rope, settings: Callable[[], Settings], prefixes: PrefixCache | None = None
    ) -> None:
        """``prefixes`` None: this host keeps no prompts."""
        self._host = host
        self._rope = rope
        self._kept_prompts = KeptPrompts(prefixes, lambda sentence: host.log(sentence, problem=True))
        self._settings = settings
        self._plans = LoadPlans(host, settings)
        self._lock = threading.RLock()
        self._model: Callable[[], Any] = _nothing  # a weak reference: an unloaded model's memory must go free
        self._expected = False  # the loader has returned the model, the host does not hold it yet
        self._adapters: tuple[Path, ...] = ()
        self._live_undo: Undo | None = None  # holds the model weakly
        self._window_undo: Undo | None = None
        self._template_undo: Undo | None = None
        self._status = NO_MODEL_STATUS

    # -- plan ------------------------------------------------------------------------------------------------

    def plan(self, model_name: str) -> ContextPlan:
        """The plan for ``model_name`` on this host. Raises ModelFolderError where the folder is not there."""
        return self._plans.of_model(model_name)

    def applies_plans(self) -> bool:
        """False where the user switched scaling off: models are planned and shown, and left as the host loads them."""
        return self._settings().apply_scaling

    # -- a load that passes through us --------------------------------------------------------------------------

    def before_load(self, model_name: str, loader: str) -> PendingLoad | None:
        """Plan the load that is about to happen with ``loader`` and prepare for it. None: the load is not ours."""
        self._kept_prompts.release()  # two models may not fit, and less so with what was kept for the first
        if not self._settings().apply_scaling:
            return None
        with self._lock:
            self._withdraw_window()
        pending = self._guarded("plan the load", lambda: PendingLoad(self._plans.of_load(model_name, loader)))
        if pending is None:
            return None
        try:
            if pending.plan.mechanism == PATCH and pending.plan.factor != 1.0:
                pending.undo.append(self._rope.patch_classes(pending.plan.scaling))
            pending.undo.append(self._host.use_loader_settings(pending.plan))
        except Exception as error:
            pending.problem = self._sentence("prepare the load", error)
        return pending

    def end_of_load(self, pending: PendingLoad | None) -> None:
        """Take back what was prepared, whether the load succeeded or not: the next model must not see it."""
        while pending is not None and pending.undo:
            self._guarded("undo what was prepared for the load", pending.undo.pop())

    def after_load(self, pending: PendingLoad | None, model: Any) -> LoadStatus:
        """Confirm the plan on the model that the loader returned; scale it in place where the patch missed it."""
        with self._lock:
            if pending is None or model is None:
                self._forget()
                return self._status
            self._expected, self._adapters, self._live_undo = True, (), None
            try:
                return self._confirm(pending.plan, model, pending.problem)
            except Exception as error:
                self._withdraw_window()
                sentence = self._sentence("confirm the load", error)
                self._status = LoadStatus(Verdict.WRONG, f"NOT confirmed: {sentence}", model=pending.plan.model)
                self._host.log(f"{self._status.model}: {self._status.headline}", problem=True)
                return self._status

    # -- a model that was loaded without us ------------------------------------------------------------------------

    def adopt_loaded_model(self) -> LoadStatus:
        """Scale, confirm and give its window to the model that the host already holds, in place."""
        with self._lock:
            loaded = self._host.loaded_model()
            if loaded is not None:
                self._expected = False
                if loaded.model is not self._model() or loaded.adapters != self._adapters:
                    again = self._adopt(loaded)
                    del loaded  # while a model is loaded again nothing here may keep the old one: two may not fit
                    if again is not None:
                        self._load_again(again)
            elif self._host.is_asleep():
                # The request that wakes it was cut to the window before: the window stays.
                return replace(self._status, headline=f"{self._status.headline} · asleep until the next request")
            elif not (self._expected and self._model() is not None):
                self._forget()
            return self._status

    def _adopt(self, loaded: LoadedModel) -> ContextPlan | None:
        """Look after ``loaded`` in place; the plan for which the host must load it again, if that is needed."""
        self._withdraw_window()
        self._undo_live_scaling()
        self._model, self._adapters = weakref.ref(loaded.model), loaded.adapters
        self._status = LoadStatus(Verdict.LEFT_ALONE, "left alone: apply_scaling is off", model=loaded.name)
        if not self._settings().apply_scaling:
            self._kept_prompts.watch(loaded.model)
            return None
        try:
            return self._scale_adopted(loaded)
        except Exception as error:
            sentence = self._sentence("look after the loaded model", error)
            self._status = LoadStatus(Verdict.LEFT_ALONE, f"left alone: {sentence}", model=loaded.name)
            self._host.log(f"{loaded.name}: {self._status.headline}", problem=True)
            return None

    def _scale_adopted(self, loaded: LoadedModel) -> ContextPlan | None:
        plan = self._plans.of_loaded(loaded)
        reading, _ = self._read(plan, loaded.model)
        if plan.mechanism == LOADER_SETTING and reading is not None:
            if not reading.agrees_with(plan.scaling):
                lacks = "its scaling"
            elif not reading.reaches(plan.truncation_length):
                lacks = f"room for {plan.truncation_length} tokens"
            else:
                lacks = ""
            if lacks:
                self._host.log(f"{plan.model}: loaded before this extension, without {lacks}; loading it again.")
                self._kept_prompts.release()
                return plan
        self._confirm(plan, loaded.model)
        return None

    def _load_again(self, plan: ContextPlan) -> None:
        """Let the host load the model again, once; whatever it then holds is confirmed and not loaded a third time."""
        self._model, problem = _nothing, ""
        try:
            self._host.reload_model()
        except Exception as error:
            problem = self._sentence("load the model again", error)
        loaded = self._host.loaded_model()
        if loaded is None:
            self._forget()
            self._host.log(" ".join(filter(None, [f"{plan.model}: no model is loaded now.", problem])), problem=True)
        elif loaded.model is not self._model():
            self._confirm(plan, loaded.model, problem)

    def _confirm(self, plan: ContextPlan, model: Any, problem: str = "") -> LoadStatus:
        self._model = weakref.ref(model)
        reading, unreadable = self._read(plan, model)
        if plan.mechanism == PATCH and reading is not None and not reading.agrees_with(plan.scaling):
            try:
                self._live_undo = self._rope.scale_live(model, plan.scaling)
                reading, unreadable = self._read(plan, model)
            except Exception as error:
                problem = self._sentence("scale the loaded model", error)
        unfinished = self._guarded("finish the load", lambda: self._host.finish_load(plan, model)) or ()
        self._status = judge(plan, summary(plan), reading, " ".join(filter(None, [problem or unreadable, *unfinished])))
        self._withdraw_window()
        if self._status.verdict is Verdict.CONFIRMED and plan.factor != 1.0:
            self._window_undo = self._guarded("give the window to the host", lambda: self._host.use_window(plan))
        if plan.instruction_template is not None:
            self._template_undo = self._guarded(
                "give the instruction template to the host", lambda: self._host.use_template(plan)
            )
        self._host.log(
            " ".join(filter(None, [f"{plan.model}:", self._status.headline, self._status.advice])),
            problem=self._status.verdict is Verdict.WRONG,
        )
        for warning in plan.warnings:
            if warning not in self._status.advice:
                self._host.log(warning)
        self._kept_prompts.watch(model)
        return self._status

    def _read(self, plan: ContextPlan, model: Any) -> tuple[RopeReading | None, str]:
        """What ``model`` runs, by its rotary embedding or else by its loader; or why nobody can say."""
        try:
            return self._rope.read(model, plan.scaling), ""
        except RopeScalingError as error:
            told = self._guarded("ask the loader", lambda: self._host.read_loader(plan, model))
            return told, "" if told is not None else str(error)
        except Exception as error:
            return None, self._sentence("read the model back", error)

    def _undo_live_scaling(self) -> None:
        """A model that stays while its LoRAs change is as it was loaded, before it is looked at again."""
        self._kept_prompts.invalidate()
        if self._live_undo is not None:
            self._guarded("undo the scaling of the loaded model", self._live_undo)
            self._live_undo = None

    def _withdraw_window(self) -> None:
        if self._window_undo is not None:
            self._guarded("withdraw the window", self._window_undo)
            self._window_undo = None
        if self._template_undo is not None:
            self._guarded("withdraw the instruction template", self._template_undo)
            self._template_undo = None

    def _forget(self) -> None:
        self._withdraw_window()
        self._kept_prompts.release()
        self._model, self._expected, self._status = _nothing, False, NO_MODEL_STATUS
        self._adapters, self._live_undo = (), None

    def drop_kept_prompts(self) -> None:
        """The live model is about to be changed: what is read with it at this moment is not kept either."""
        self._kept_prompts.invalidate()

    # -- what the page shows and does ------------------------------------------------------------------------------

    def status(self) -> LoadStatus:
        """What is so now, also when the model came or went without passing through us. Never raises: pages poll it."""
        try:
            status = self.adopt_loaded_model()
            headline = self._kept_prompts.after(status.headline)
            return replace(status, headline=headline) if headline != status.headline else status
        except Exception as error:
            return LoadStatus(Verdict.LEFT_ALONE, f"left alone: {self._sentence('look at the loaded model', error)}")

    def window(self) -> int | None:
        """The confirmed window of the loaded model in tokens; None where nothing was scaled."""
        status = self.adopt_loaded_model()
        scaled = status.plan is not None and status.plan.factor != 1.0 and status.verdict is Verdict.CONFIRMED
        return status.plan.truncation_length if scaled and status.plan is not None else None

    def loaded_plan(self) -> ContextPlan | None:
        """The plan of the model that is loaded now; None without one, or where it could not be planned."""
        return self.status().plan

    def suggestion(self) -> Suggestion | None:
        plan = self._status.plan
        return plan.suggestion if plan is not None else None

    def accept_suggestion(self) -> LoadStatus:
        """Make the suggested scaling of the loaded model the user's own rule, and apply it at once."""
        with self._lock:
            suggestion, plan = self.suggestion(), self._status.plan
            if suggestion is None or plan is None:
                return self._status
            rule = UserRule(
                pattern=plan.model,
                rope_type=suggestion.scaling.rope_type,
                factor=suggestion.scaling.factor,
                original_max_position_embeddings=suggestion.scaling.original_max_position_embeddings,
            )
            self._guarded("keep the rule", lambda: add_user_rule(self._host.rules_file(), rule))
            self._model = _nothing
            return self.adopt_loaded_model()

    # -- failures ---------------------------------------------------------------------------------------------------

    def _guarded(self, what: str, step: Callable[[], Result]) -> Result | None:
        try:
            return step()
        except Exception as error:
            self._host.log(self._sentence(what, error), problem=True)
            return None

    @staticmethod
    def _sentence(what: str, error: Exception) -> str:
        if isinstance(error, AiroborosLongctxError):
            return str(error)
        return f"Could not {what}: {type(error).__name__}: {error}. The model is as the loader left it."
