"""What happens at the webui's seams: every model load and every reading of a model's settings passes through here.

The webui's own function always runs, with its own arguments, and its own errors pass through untouched.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from ...core.load_status import Verdict
from .capabilities import offered_loaders
from .rebinding import Rebinding, Wrapper, host_modules, is_ours
from .seams import ADAPTERS, CHOOSE_LOADER, LOAD, SEAMS, WINDOW, Seam

if TYPE_CHECKING:
    from ...core.context_plan import ContextPlan

#: The mark of an exception that a request is meant to get: a refusal, not a failure of ours.
DELIBERATE = "__airoboros_longctx_refusal__"


class Loads(Protocol):
    """The part of the service that the hooks call."""

    def applies_plans(self) -> bool: ...
    def plan(self, model_name: str) -> ContextPlan: ...
    def before_load(self, model_name: str, loader: str) -> Any: ...
    def end_of_load(self, pending: Any) -> None: ...
    def after_load(self, pending: Any, model: Any) -> Any: ...
    def adopt_loaded_model(self) -> Any: ...


class WebuiWindow(Protocol):
    """The part of the webui host that knows where a window is written. ``draws_page`` is False for an API alone."""

    draws_page: bool

    def is_switched_on(self) -> bool: ...
    def with_window(self, model_name: str, stock: dict[str, Any], plan: ContextPlan) -> dict[str, Any]: ...
    def with_template(self, model_name: str, stock: dict[str, Any], plan: ContextPlan) -> dict[str, Any]: ...
    def withdraw_window(self, model_name: str) -> None: ...
    def with_loader(self, state: dict[str, Any], plan: ContextPlan) -> dict[str, Any]: ...
    def log(self, message: str, *, problem: bool = False) -> None: ...


class WebuiHooks:
    """Puts our wrappers on the webui's seams, once, and takes them off again."""

    def __init__(self, service: Loads, host: WebuiWindow, more: Mapping[str, Wrapper] | None = None) -> None:
        """``more`` are wrappers for further duties: they run as ``wrapper(original, *args, **kwargs)``."""
        self._service = service
        self._host = host
        self._more = dict(more or {})
        self._rebindings: dict[Seam, Rebinding] = {}

    def install(self) -> tuple[Seam, ...]:
        """Wrap every seam that this release has; returns the seams that are wrapped now. Idempotent."""
        found = {seam: self._module_of(seam) for seam in SEAMS if seam not in self._rebindings}
        bound = host_modules()  # after the imports, which may bind some of the functions
        for seam, module in found.items():
            function = getattr(module, seam.name, None)
            if module is not None and callable(function) and not is_ours(function):
                self._rebindings[seam] = Rebinding(module, seam.name, self._around(seam), bound)
        for duty in self.lost_duties():
            self._say(f"not supported here: this webui has no place known to us to {duty}.")
        for loader in self._lost_loaders():
            self._say(
                f"not supported here: this webui has no place known to us to {LOAD} with {loader}. Such a model is "
                "looked at after its load: at the next request, or when the status line is refreshed."
            )
        return tuple(self._rebindings)

    def lost_duties(self) -> tuple[str, ...]:
        """The duties for which no place was found; without a page those of the page are no loss."""
        wanted = [seam.duty for seam in SEAMS if not seam.optional and (self._host.draws_page or not seam.page)]
        done = {seam.duty for seam in self._rebindings}
        return tuple(duty for duty in dict.fromkeys(wanted) if self._is_ours(duty) and duty not in done)

    def _lost_loaders(self) -> tuple[str, ...]:
        """Loaders that the webui offers and whose loads do not pass through us, although others' do."""
        done = {seam.loader for seam in self._rebindings}
        known = {seam.loader for seam in SEAMS if seam.loader} - done
        offered = self._or_none("see which loaders there are", offered_loaders) or ()
        return tuple(loader for loader in offered if loader in known) if LOAD not in self.lost_duties() else ()

    def _is_ours(self, duty: str) -> bool:
        return duty in (LOAD, ADAPTERS, WINDOW, CHOOSE_LOADER) or duty in self._more

    def _module_of(self, seam: Seam) -> ModuleType | None:
        if not self._is_ours(seam.duty) or (seam.page and seam.module not in sys.modules):
            return None
        try:
            return importlib.import_module(seam.module)
        except Exception as error:
            if not seam.optional:
                self._say(f"not supported here: {seam.module} cannot be imported ({error}).")
            return None

    def revert(self) -> None:
        """Take every wrapper off, the last one first."""
        while self._rebindings:
            self._rebindings.popitem()[1].revert()

    def _around(self, seam: Seam) -> Wrapper:
        if seam.duty == LOAD:
            return lambda original, *args, **kwargs: self._load(seam.loader, original, *args, **kwargs)
        if seam.duty in self._more:
            wrapper = self._more[seam.duty]
            return lambda original, *args, **kwargs: self._guarded(seam, wrapper, original, *args, **kwargs)
        own = {ADAPTERS: self._adapters, WINDOW: self._model_metadata, CHOOSE_LOADER: self._model_chosen}
        return own[seam.duty]

    def _load(self, loader: str, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        model_name = args[0] if args else kwargs.get("model_name")
        if not isinstance(model_name, str) or not self._is_switched_on():
            return original(*args, **kwargs)
        pending = self._or_none("plan the load", lambda: self._service.before_load(model_name, loader))
        try:
            output = original(*args, **kwargs)
        finally:
            self._or_none("end the load", lambda: self._service.end_of_load(pending))
        model = output[0] if isinstance(output, tuple) else output
        if WINDOW in self.lost_duties():
            pending = None  # the webui writes its own window after the load; ours is given to it at the next request
        status = self._or_none("confirm the load", lambda: self._service.after_load(pending, model))
        if status is None or status.verdict in (Verdict.WRONG, Verdict.NO_MODEL):
            self._or_none("withdraw the window", lambda: self._host.withdraw_window(model_name))
        return output

    def _adapters(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        output = original(*args, **kwargs)
        if self._is_switched_on():
            self._or_none("look at the model's LoRAs", self._service.adopt_loaded_model)
        return output

    def _model_metadata(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        stock = original(*args, **kwargs)
        model_name = args[0] if args else kwargs.get("model")
        if not isinstance(model_name, str) or not isinstance(stock, dict) or not self._is_switched_on():
            return stock

        def with_window() -> Any:
            if self._service.applies_plans():
                plan = self._service.plan(model_name)
                return self._host.with_window(model_name, self._host.with_template(model_name, stock, plan), plan)
            return stock

        planned = self._or_none("plan the window", with_window)
        return stock if planned is None else planned

    def _model_chosen(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        state = original(*args, **kwargs)
        model_name = args[0] if args else kwargs.get("model")
        if not isinstance(model_name, str) or not isinstance(state, dict) or not self._is_switched_on():
            return state

        def with_loader() -> Any:
            if self._service.applies_plans():
                return self._host.with_loader(state, self._service.plan(model_name))
            return state

        chosen = self._or_none("choose the loader", with_loader)
        return state if chosen is None else chosen

    def _guarded(self, seam: Seam, wrapper: Wrapper, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """``wrapper``; where it fails by itself, what the webui's own function gave or gives."""
        if not self._is_switched_on():
            return original(*args, **kwargs)
        gave: list[Any] = []
        raised: list[Exception] = []

        def watched(*own: Any, **named: Any) -> Any:
            try:
                gave.append(original(*own, **named))
            except Exception as error:
                raised.append(error)
                raise
            return gave[-1]

        try:
            return wrapper(watched, *args, **kwargs)
        except Exception as error:
            if error in raised or getattr(error, DELIBERATE, False):
                raise
            self._say(f"could not {seam.duty}: {type(error).__name__}: {error}. The webui goes on as without us.")
            return gave[-1] if gave else original(*args, **kwargs)

    def _is_switched_on(self) -> bool:
        return bool(self._or_none("see whether this extension is switched on", self._host.is_switched_on))

    def _or_none(self, what: str, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except Exception as error:
            self._say(f"could not {what}: {type(error).__name__}: {error}. The webui goes on as without us.")
            return None

    def _say(self, sentence: str) -> None:
        try:
            self._host.log(sentence, problem=True)
        except Exception:  # even a broken log must not stop a load
            with contextlib.suppress(Exception):
                print(f"[airoboros_longctx] {sentence}", file=sys.stderr, flush=True)
