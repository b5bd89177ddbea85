"""text-generation-webui as a ``Host``: the only room, with its neighbours here, that knows ``modules.*``."""

from __future__ import annotations

import sys
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.mechanisms import LOADER_SETTING, NONE
from ...core.ports import LoadedModel, Undo
from ...core.prompts.instruction_templates import instruction_template
from ...core.prompts.template_formats import as_jinja
from .adapters import applied_adapters
from .capabilities import probe_capabilities
from .seams import WINDOW_KEYS

if TYPE_CHECKING:
    from ...core.capabilities import Capabilities
    from ...core.context_plan import ContextPlan, PlanRequest
    from ...core.rope_scaling import RopeReading
    from .loader_settings.load import Load
    from .request import UsersRequest

#: The literal that v1.x's own API puts where a request names no truncation_length.
_OLD_API = "extensions.api.util"
_OLD_API_TRUNCATION_LENGTH = 2048
#: Loaders to which the newer webuis hand an instruct prompt without a beginning-of-sequence token.
_WITHOUT_BOS = ("llama.cpp", "ExLlamav2")
#: Where the newer webuis keep the active template's text.
_TEMPLATE_TEXT = "instruction_template_str"
#: The arguments that say the window; a loader reads the one its release has.
_WINDOW_ARGUMENTS = ("max_seq_len", "n_ctx", "ctx_size")


class WebuiHost:
    """The running webui. ``extension_name`` is the folder name under which it imported us."""

    def __init__(self, extension_name: str) -> None:
        from modules import shared
        from modules.logging_colors import logger

        self._shared = shared
        self._logger = logger
        self.extension_name = extension_name
        self.draws_page = not getattr(shared.args, "nowebui", False)
        self._paused = False
        #: The names of the templates that stand in the webui's folder.
        self.templates: frozenset[str] = frozenset()
        self._withdrawable: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}

    @cached_property
    def _asked(self) -> UsersRequest:
        from .request import UsersRequest  # here, so that the webui starts without it and the loaders' settings

        return UsersRequest(self._shared)

    # -- what is there ---------------------------------------------------------------------------------------------

    def is_switched_on(self) -> bool:
        """False after the user took us out of the extensions and restarted the interface."""
        return not self._paused and self.extension_name in (self._shared.args.extensions or ())

    def capabilities(self) -> Capabilities:
        return probe_capabilities(self._shared.args)

    def model_path(self, model_name: str) -> Path:
        direct = Path(model_name)
        return direct if direct.exists() else Path(self._shared.args.model_dir) / model_name

    def loaded_model(self) -> LoadedModel | None:
        if self._shared.model is None:
            return None
        loader, model = str(self._shared.args.loader), self._shared.model
        return LoadedModel(str(self._shared.model_name), loader, model, applied_adapters(self._shared, model))

    def is_asleep(self) -> bool:
        """The webui keeps the name then; a model that was unloaded by hand has none any more."""
        keeps_time = getattr(self._shared.args, "idle_timeout", 0) > 0
        return keeps_time and self._shared.model is None and self._shared.model_name not in (None, "None")

    def stops_generating(self) -> bool:
        """True once somebody has pressed "Stop"; the next reply begins with False."""
        return bool(getattr(self._shared, "stop_everything", False))

    def arguments(self) -> Any:
        """The webui's own arguments."""
        return self._shared.args

    def rules_file(self) -> Path:
        return self._users_folder(Path(self._shared.args.model_dir)) / "airoboros_longctx-rules.yaml"

    def recipes_folder(self) -> Path:
        """Where the user's own recipes are, if there are any: never among the models, it would be listed as one."""
        beside_the_models = Path(self._shared.args.model_dir).absolute().parent
        return self._users_folder(beside_the_models) / "airoboros_longctx-recipes"

    def _users_folder(self, otherwise: Path) -> Path:
        """The webui's folder for what is the user's; ``otherwise`` in a webui that has none."""
        user_data = getattr(self._shared, "user_data_dir", None)
        return Path(user_data) if user_data else otherwise

    def served_folders(self) -> tuple[Path, ...]:
        """The folders from where the webui hands out files: its own, in which it runs, and the one of its user."""
        user_data = getattr(self._shared, "user_data_dir", None)
        return (Path.cwd(), Path(user_data)) if user_data else (Path.cwd(),)

    def log(self, message: str, *, problem: bool = False) -> None:
        (self._logger.warning if problem else self._logger.info)(f"[airoboros_longctx] {message}")

    def user_request(self, model_name: str, loader: str | None) -> PlanRequest:
        return self._asked.read(model_name, self.model_path(model_name), loader)

    # -- where a plan is written -----------------------------------------------------------------------------------

    def with_window(self, model_name: str, stock: dict[str, Any], plan: ContextPlan) -> dict[str, Any]:
        """``stock``, the webui's settings for a model, with the planned window, factor and loader in them."""
        if plan.factor == 1.0 or plan.mechanism == NONE:
            return stock
        from .loader_settings import families

        saved = self._asked.saved_settings(model_name)
        planned: dict[str, Any] = {key: plan.truncation_length for key in WINDOW_KEYS if key in stock}
        planned["loader"] = plan.loader
        if plan.mechanism == LOADER_SETTING:
            knobs = families.knobs(plan, self._shared.args, self.model_path(model_name))
            planned.update({key: value for key, value in knobs.items() if key in stock})
        planned = {key: value for key, value in planned.items() if key not in saved}
        self._asked.given[model_name] = {**{f"stock {key}": stock.get(key) for key in planned}, **planned}
        settings = {**stock, **planned}
        self._withdrawable[model_name] = (settings, {key: stock.get(key) for key in planned})
        return settings

    def with_template(self, model_name: str, stock: dict[str, Any], plan: ContextPlan) -> dict[str, Any]:
        """``stock`` with the planned instruction template, unless the user chose one for this model or for all."""
        chosen = "instruction_template" in self._asked.saved_settings(model_name)
        if chosen or getattr(self._shared.args, "chat_template_file", None):
            return stock
        return {**stock, **self._template_fields(plan)}

    def _template_fields(self, plan: ContextPlan) -> dict[str, Any]:
        """The fields that say the template: by its text where the webui keeps that, and by name where the file is."""
        name = plan.instruction_template
        if name is None:
            return {}
        fields = {"instruction_template": name} if name in self.templates else {}
        if _TEMPLATE_TEXT in self._shared.settings:
            fields[_TEMPLATE_TEXT] = as_jinja(instruction_template(name), plan.loader in _WITHOUT_BOS)
        return fields

    def use_template(self, plan: ContextPlan) -> Undo:
        settings = self._shared.settings
        ours = self.with_template(plan.model, {}, plan)
        ours = {key: value for key, value in ours.items() if key in settings}
        before = {key: settings[key] for key in ours}
        settings.update(ours)

        def undo() -> None:
            for key, value in before.items():
                if settings.get(key) == ours[key]:
                    settings[key] = value

        return undo

    def page_values(self) -> dict[str, Any]:
        """What an open page's fields should say of the loaded model, when that was changed elsewhere."""
        settings = self._shared.settings
        template = _TEMPLATE_TEXT if _TEMPLATE_TEXT in settings else "instruction_template"
        return {key: settings[key] for key in ("truncation_length", template) if settings.get(key) is not None}

    def withdraw_window(self, model_name: str) -> None:
        """The model is not scaled after all: the settings handed out for this load say the stock window again."""
        settings, stock = self._withdrawable.pop(model_name, ({}, {}))
        settings.update(stock)

    def with_loader(self, state: dict[str, Any], plan: ContextPlan) -> dict[str, Any]:
        """The Model tab's state after a model was picked: the planned loader, also where another stuck there."""
        if plan.factor != 1.0 and plan.loader in self.capabilities().loaders:
            state["loader"] = plan.loader
        return state

    def use_loader_settings(self, plan: ContextPlan) -> Undo:
        from .loader_settings import families
        from .loader_settings.load import one_after_the_other

        prepare = partial(families.prepare, self._load_of(plan))
        if plan.factor == 1.0 or plan.mechanism == NONE:
            return prepare()
        return one_after_the_other((partial(self.use_window, plan), prepare))

    def finish_load(self, plan: ContextPlan, model: Any) -> tuple[str, ...]:
        from .loader_settings import families

        return families.finish(self._load_of(plan), model)

    def read_loader(self, plan: ContextPlan, model: Any) -> RopeReading | None:
        from .loader_settings import families

        return families.read(plan.loader, model, self.model_path(plan.model))

    def _load_of(self, plan: ContextPlan) -> Load:
        from .loader_settings.load import Load

        return Load(plan, self._shared.args, self.model_path(plan.model), self._asked.provided())

    def use_window(self, plan: ContextPlan) -> Undo:
        places: list[tuple[Any, str]] = [(self._shared.settings, "truncation_length")]
        places += [(vars(self._shared.args), key) for key in _WINDOW_ARGUMENTS if key not in self._asked.provided()]
        before = [(place, key, place[key]) for place, key in places if key in place]
        for place, key, _ in before:
            place[key] = plan.truncation_length

        def undo() -> None:
            for place, key, value in before:
                if place[key] == plan.truncation_length:
                    place[key] = value

        return undo

    def reload_model(self) -> None:
        """Load the model that is loaded once more, through the webui's own function and so through our hooks.

        Where that fails (a larger window needs more memory), the model is loaded as it was before, without us.
        """
        try:
            self._load_again()
        except Exception:
            self._paused = True
            try:
                self._load_again()
            finally:
                self._paused = False
            raise

    def _load_again(self) -> None:
        from modules import models

        name = self._shared.model_name
        models.unload_model()
        self._shared.model_name = name  # v4.x forgets the name when it unloads
        self._shared.model, self._shared.tokenizer = models.load_model(name)
        if self._shared.model is None:  # how some loaders say that they failed
            raise RuntimeError(f"the webui did not load {name}; its own message is above")

    # -- a request ----------------------------------------------------------------------------------------------------

    def widen_request(self, state: dict[str, Any], window: int | None) -> dict[str, Any]:
        """v1.x's own API cuts at a literal 2048 unless the request says otherwise: give it the model's window.

        A page's request carries the page's own value (and the Model tab's fields with it) and is left alone.
        """
        from_the_page = "loader" in state or "filter_by_loader" in state
        default = state.get("truncation_length") == _OLD_API_TRUNCATION_LENGTH
        if window is not None and default and _OLD_API in sys.modules and not from_the_page:
            state["truncation_length"] = window
        return state
