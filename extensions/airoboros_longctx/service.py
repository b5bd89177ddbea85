"""The use cases: plan a load, apply the plan, read the live model back, say what is so.

Nothing here raises into the host: a step that fails becomes a sentence in the status and in the log, and the host
goes on as if this extension were not there.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.load_status import NO_MODEL_STATUS, LoadStatus, Verdict
from .core.ports import Host, LoadedModel, PrefixCache, Rope
from .core.settings import Settings
from .core.user_rules import add_user_rule, rule_from
from .loading.given_to_host import GivenToHost
from .loading.guarded_steps import GuardedSteps, failure
from .loading.kept_prompts import KeptPrompts
from .loading.live_model import LiveModel
from .loading.load_plans import LoadPlans
from .loading.prepared_load import PendingLoad, prepare_load, take_back

if TYPE_CHECKING:
    from .core.context_plan import ContextPlan, Suggestion


def _nothing() -> None:
    """Stands for the weak reference while there is no model."""


class LongContextService:
    """Plans, scales and confirms the models of one host."""

    def __init__(
        self, host: Host, rope: Rope, settings: Callable[[], Settings], prefixes: PrefixCache | None = None
    ) -> None:
        """``prefixes`` None: this host keeps no prompts."""
        self._host = host
        self._rope = rope
        self._settings = settings
        self._steps = GuardedSteps(host)
        self._plans = LoadPlans(host, settings)
        self._live = LiveModel(host, rope, self._steps)
        self._given = GivenToHost(host, self._steps)
        self._kept_prompts = KeptPrompts(prefixes, lambda sentence: host.log(sentence, problem=True))
        self._lock = threading.RLock()
        self._model: Callable[[], Any] = _nothing  # a weak reference: an unloaded model's memory must go free
        self._expected = False  # the loader has returned the model, the host does not hold it yet
        self._adapters: tuple[Path, ...] = ()
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
            self._given.withdraw()
        plan = self._steps.run("plan the load", lambda: self._plans.of_load(model_name, loader))
        return prepare_load(plan, self._host, self._rope) if plan is not None else None

    def end_of_load(self, pending: PendingLoad | None) -> None:
        """Take back what was prepared, whether the load succeeded or not: the next model must not see it."""
        if pending is not None:
            take_back(pending, self._steps)

    def after_load(self, pending: PendingLoad | None, model: Any) -> LoadStatus:
        """Confirm the plan on the model that the loader returned; scale it in place where the patch missed it."""
        with self._lock:
            if pending is None or model is None:
                self._forget()
                return self._status
            self._expected, self._adapters = True, ()
            self._live.forget()
            try:
                return self._confirm(pending.plan, model, pending.problem)
            except Exception as error:
                self._given.withdraw()
                sentence = failure("confirm the load", error)
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
        self._given.withdraw()
        self._kept_prompts.invalidate()
        self._live.undo_scaling()
        self._model, self._adapters = weakref.ref(loaded.model), loaded.adapters
        self._status = LoadStatus(Verdict.LEFT_ALONE, "left alone: apply_scaling is off", model=loaded.name)
        if not self._settings().apply_scaling:
            self._kept_prompts.watch(loaded.model)
            return None
        try:
            return self._scale_adopted(loaded)
        except Exception as error:
            sentence = failure("look after the loaded model", error)
            self._status = LoadStatus(Verdict.LEFT_ALONE, f"left alone: {sentence}", model=loaded.name)
            self._host.log(f"{loaded.name}: {self._status.headline}", problem=True)
            return None

    def _scale_adopted(self, loaded: LoadedModel) -> ContextPlan | None:
        plan = self._plans.of_loaded(loaded)
        lacks = self._live.lacks(plan, loaded.model)
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
            problem = failure("load the model again", error)
        loaded = self._host.loaded_model()
        if loaded is None:
            self._forget()
            self._host.log(" ".join(filter(None, [f"{plan.model}: no model is loaded now.", problem])), problem=True)
        elif loaded.model is not self._model():
            self._confirm(plan, loaded.model, problem)

    def _confirm(self, plan: ContextPlan, model: Any, problem: str = "") -> LoadStatus:
        from .core.explanation import summary  # here, so that a webui starts without them
        from .core.load_verdict import judge

        self._model = weakref.ref(model)
        reading, problem = self._live.confirm(plan, model, problem)
        unfinished = self._steps.run("finish the load", lambda: self._host.finish_load(plan, model)) or ()
        self._status = judge(plan, summary(plan), reading, " ".join(filter(None, [problem, *unfinished])))
        self._given.give(plan, confirmed=self._status.verdict is Verdict.CONFIRMED)
        self._host.log(
            " ".join(filter(None, [f"{plan.model}:", self._status.headline, self._status.advice])),
            problem=self._status.verdict is Verdict.WRONG,
        )
        for warning in plan.warnings:
            if warning not in self._status.advice:
                self._host.log(warning)
        self._kept_prompts.watch(model)
        return self._status

    def _forget(self) -> None:
        self._given.withdraw()
        self._live.forget()
        self._kept_prompts.release()
        self._model, self._expected, self._status = _nothing, False, NO_MODEL_STATUS
        self._adapters = ()

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
            return LoadStatus(Verdict.LEFT_ALONE, f"left alone: {failure('look at the loaded model', error)}")

    def window(self) -> int | None:
        """The confirmed window of the loaded model in tokens; None where nothing was scaled."""
        status = self.adopt_loaded_model()
        if status.plan is None or status.plan.factor == 1.0 or status.verdict is not Verdict.CONFIRMED:
            return None
        return status.plan.truncation_length

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
            rule = rule_from(suggestion.scaling, plan.model)
            self._steps.run("keep the rule", lambda: add_user_rule(self._host.rules_file(), rule))
            self._model = _nothing
            return self.adopt_loaded_model()
