"""Builds the house inside a webui: host, rope, service and panels.

``script.py`` calls nothing else, and catches what is raised here: a hook that fails is said once and passed over.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from .core.documents.shelves import DocumentShelves
from .core.errors import AiroborosLongctxError
from .core.settings import Settings, describe_settings, load_settings
from .prompt_service import PromptService
from .service import LongContextService

if TYPE_CHECKING:
    from .documents.check_store import CheckStore
    from .documents.store import FileDocumentStore
    from .host.webui.webui_host import WebuiHost
    from .ui.checking.running import CheckRuns

#: The webui fills this from its own settings (keys ``airoboros_longctx-<param>``) before ``setup``.
params: dict[str, Any] = {setting.name: setting.default for setting in describe_settings()}


class Extension:
    """One running extension in one webui."""

    def __init__(self, extension_name: str) -> None:
        from .host.webui.chat.prompting import WebuiPrompting
        from .host.webui.hooks import WebuiHooks
        from .host.webui.prefixes import WebuiPrefixes
        from .host.webui.webui_host import WebuiHost
        from .prefix_cache.engine import PrefixCacheEngine
        from .rope.engine import RopeEngine
        from .ui.gradio_versions import new_session_state

        self.host = WebuiHost(extension_name)
        self._said: set[str] = set()
        self.prefixes = WebuiPrefixes(self.host)
        prefix_cache = PrefixCacheEngine(
            lambda: self.settings().prefix_cache_memory,
            self.prefixes.person_of,
            self.host.stops_generating,
            self.host.log,
            lambda: self.settings().prefix_cache and self.host.is_switched_on(),
        )
        self.prefixes.on_other_template = prefix_cache.invalidate
        self._rope = RopeEngine()
        self.service = LongContextService(self.host, self._rope, self.settings, prefix_cache)
        self.prompt_service = PromptService()
        self._store = document_store(self.settings(), self.host)
        self.shelves = DocumentShelves(self._store)
        self.prompting = WebuiPrompting(
            self.host, self.service, self.prompt_service, self.settings, new_session_state, self.shelves
        )
        self.hooks = WebuiHooks(self.service, self.host, self.prompting.wrappers())
        self.prompting.lost_duties = self.hooks.lost_duties

    @cached_property
    def checks(self) -> CheckRuns:
        """The same for every page that is ever drawn."""
        from .host.webui.measuring import WebuiMeasuring
        from .ui.checking.runs_of_host import check_runs

        return check_runs(WebuiMeasuring(self.host), self.service, self._rope, check_store(self._store), self.host.log)

    def settings(self) -> Settings:
        """The settings as they are now; a bad value is named once and its default used."""
        settings, problems = load_settings(params)
        for problem in problems:
            if problem not in self._said:
                self._said.add(problem)
                self.host.log(problem, problem=True)
        return settings

    def put_templates_in_place(self) -> None:
        """Give the webui's dropdown our templates; the models are looked after with or without them."""
        if not self.settings().write_templates:
            return
        try:
            self.prompting.write_templates()
        except Exception as error:
            self.host.log(f"The instruction templates are not in the dropdown: {error}", problem=True)


def document_store(settings: Settings, host: WebuiHost) -> FileDocumentStore | None:
    """Where documents are kept; None where they end with their page, and the log says why unless that was chosen."""
    if not settings.store_documents:
        return None
    try:
        from .documents.store import FileDocumentStore
        from .documents.store_place import store_folder

        store = FileDocumentStore(store_folder(settings.documents_folder, host.served_folders()))
        store.folders()  # one that cannot even be looked at would refuse every question
        return store
    except AiroborosLongctxError as error:
        host.log(str(error), problem=True)
    except Exception as error:
        host.log(f"No documents are stored: their folder could not be found ({type(error).__name__}).", problem=True)
    return None


def check_store(store: FileDocumentStore | None) -> CheckStore | None:
    """Where the results of checks are kept: beside the documents. None where those are not stored either."""
    if store is None:
        return None
    from .documents.check_store import FOLDER, CheckStore

    return CheckStore(store.folder / FOLDER)


_extension: Extension | None = None


def setup(host_module_name: str) -> None:
    """Hook into the webui and look after the model that it loaded before us. Safe to call again."""
    global _extension
    if _extension is None:
        _extension = Extension(extension_name_of(host_module_name))
    _extension.hooks.install()
    _extension.put_templates_in_place()
    _extension.service.adopt_loaded_model()


def extension_name_of(host_module_name: str) -> str:
    """``extensions.NAME.script`` or ``user_ext_NAME`` -> ``NAME``."""
    parts = host_module_name.split(".")
    return parts[-2] if len(parts) > 1 else parts[0].removeprefix("user_ext_")


def ui() -> None:
    """Draw the panels below the chat."""
    if _extension is not None:
        from .ui.webui_panels import create_webui_panels

        create_webui_panels(
            _extension.service,
            _extension.prompt_service,
            _extension.shelves,
            _extension.prompting.page(),
            _extension.settings(),
            _extension.checks,
            _extension.host.recipes_folder(),
        )


def state_modifier(state: dict[str, Any]) -> dict[str, Any]:
    """Give requests of an API that knows no window the loaded model's, and answers from documents their sampling."""
    if _extension is None:
        return state
    state = _extension.host.widen_request(state, _extension.service.window())
    return _extension.prompting.prompts.with_sampling(state)


def tokenizer_modifier(state: dict[str, Any], prompt: Any, input_ids: Any, input_embeds: Any) -> tuple[Any, Any, Any]:
    """Let the tokens of a prompt say who asks: from here on they are all that is handed on."""
    if _extension is not None:
        _extension.prefixes.mark(state, input_ids)
    return prompt, input_ids, input_embeds


def custom_css() -> str:
    """The panels' style sheet."""
    from .ui.page_files import style_css

    return style_css()


def custom_js() -> str:
    """The scripts of the panels."""
    from .ui.page_files import panels_js

    return panels_js(load_settings(params)[0].status_refresh_seconds)
