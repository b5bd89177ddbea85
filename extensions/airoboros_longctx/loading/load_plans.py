"""The plans of one host: what it is asked for, what the model's folder says, what is loaded now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..core.ports import Host, LoadedModel
from ..core.settings import Settings
from ..core.user_rules import read_user_rules

if TYPE_CHECKING:
    from ..core.capabilities import Capabilities
    from ..core.context_plan import ContextPlan, PlanRequest
    from ..core.model_facts import ModelFacts
    from ..core.reading.remembered_facts import RememberedFacts


class LoadPlans:
    """Every method raises ModelFolderError where a model's folder is not there."""

    def __init__(self, host: Host, settings: Callable[[], Settings]) -> None:
        self._host = host
        self._settings = settings
        self._last: tuple[tuple[ModelFacts, Capabilities, PlanRequest], ContextPlan] | None = None

    @cached_property
    def _facts(self) -> RememberedFacts:
        from ..core.reading.remembered_facts import RememberedFacts  # here, so that a webui starts without it

        return RememberedFacts()

    def of_model(self, model_name: str, loader: str | None = None) -> ContextPlan:
        """The plan for ``model_name`` on this host. ``loader`` is an explicit choice of the user's."""
        from ..core.planning.planner import plan_context

        facts, capabilities = self._facts.of(self._host.model_path(model_name)), self._host.capabilities()
        given = (facts, capabilities, self._request(model_name, loader, None))
        last = self._last
        if last is None or last[0] != given:  # a load asks several times, and the same input has the same plan
            self._last = last = (given, plan_context(*given))
        return last[1]

    def of_load(self, model_name: str, loader: str) -> ContextPlan:
        """The plan for a load that the host does with ``loader``: ours if it is the planned one, else its owner's."""
        plan = self.of_model(model_name)
        return plan if plan.loader == loader else self.of_model(model_name, loader)

    def of_loaded(self, loaded: LoadedModel) -> ContextPlan:
        """The plan for a model that is there already, with the LoRAs that are applied to it."""
        if loaded.served is not None:
            from ..core.planning.served_plan import plan_served_model

            return plan_served_model(loaded.served)
        from ..core.planning.plan_with_adapters import plan_with_adapters
        from ..core.planning.planner import plan_context
        from ..core.reading.adapter_folder import read_adapter_facts

        facts, capabilities = self._facts.of(self._host.model_path(loaded.name)), self._host.capabilities()
        request = self._request(loaded.name, None, loaded.loader)
        plan = plan_context(facts, capabilities, request)
        adapters = [read_adapter_facts(folder) for folder in loaded.adapters]
        return plan_with_adapters(plan, facts, adapters, capabilities, request)

    def _request(self, model_name: str, loader: str | None, loaded_with: str | None) -> PlanRequest:
        settings = self._settings()
        request = self._host.user_request(model_name, loaded_with or loader)
        if settings.context_tokens and request.context_tokens is None:
            request = replace(
                request, context_tokens=settings.context_tokens, context_source="this extension's context_tokens"
            )
        accepted, problems = read_user_rules(self._host.rules_file())
        for problem in problems:
            self._host.log(problem, problem=True)
        return replace(
            request,
            loader=loader or request.loader,
            loaded_with=loaded_with,
            rules=(*settings.model_rules, *accepted),
        )
