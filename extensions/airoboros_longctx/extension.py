"""Builds the house inside a webui: host, rope, service and panels. ``script.py`` calls nothing else."""

from __future__ import annotations

import sys
from typing import Any

from .core.settings import DEFAULTS, Settings, load_settings
from .host.webui import WebuiHost
from .host.webui_hooks import WebuiHooks
from .service import LongContextService

#: The webui fills this from its own settings (keys ``airoboros_longctx-<param>``) before ``setup``.
params: dict[str, Any] = dict(DEFAULTS)


class Extension:
    """One running extension in one webui."""

    def __init__(self, extension_name: str) -> None:
        from .rope.engine import RopeEngine

        self.host = WebuiHost(extension_name)
        self._said: set[str] = set()
        self.service = LongContextService(self.host, RopeEngine(), self.settings)
        self.hooks = WebuiHooks(self.service, self.host)

    def settings(self) -> Settings:
        """The settings as they are now; a bad value is named once and its default used."""
        settings, problems = load_settings(params)
        for problem in problems:
            if problem not in self._said:
                self._said.add(problem)
                self.host.log(problem, problem=True)
        return settings


_extension: Extension | None = None


def setup(host_module_name: str) -> None:
    """Hook into the webui and look after the model that it loaded before us. Safe to call again."""
    global _extension
    try:
        if _extension is None:
            _extension = Extension(extension_name_of(host_module_name))
        _extension.hooks.install()
        _extension.service.adopt_loaded_model()
    except Exception as error:
        _say(f"not supported here: {type(error).__name__}: {error}. The webui goes on as without us.")


def extension_name_of(host_module_name: str) -> str:
    """``extensions.NAME.script`` or ``user_ext_NAME`` -> ``NAME``."""
    parts = host_module_name.split(".")
    return parts[-2] if len(parts) > 1 else parts[0].removeprefix("user_ext_")


def ui() -> None:
    """Draw the panels below the chat."""
    if _extension is None:
        return
    try:
        from .ui.status_panel import create_status_panel

        create_status_panel(_extension.service, _extension.settings().status_refresh_seconds)
    except Exception as error:
        _say(f"the panels could not be drawn: {type(error).__name__}: {error}.")


def state_modifier(state: dict[str, Any]) -> dict[str, Any]:
    """Give requests of an API that knows no window the loaded model's."""
    if _extension is None:
        return state
    try:
        return _extension.host.widen_request(state, _extension.service.window())
    except Exception as error:
        _say(f"the request goes on as it is: {type(error).__name__}: {error}.")
        return state


def custom_css() -> str:
    from .ui.status_panel import style_css

    return style_css() if _extension is not None else ""


def custom_js() -> str:
    from .ui.status_panel import refresh_js

    return refresh_js(_extension.settings().status_refresh_seconds) if _extension is not None else ""


def _say(message: str) -> None:
    print(f"[airoboros_longctx] {message}", file=sys.stderr, flush=True)
