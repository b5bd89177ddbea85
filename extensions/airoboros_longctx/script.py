"""What the webui sees: `params`, and the hook functions, one line each. The work is done in extension.py.

The webui imports this file in several ways, one of them (v4.x, user_data/extensions) as a lone module without a
package, run again at every restart of its page. An import that fails would stop the whole server there, so none does.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

_NAME_WITHOUT_A_PACKAGE = "airoboros_longctx"
_said: set[str] = set()


def _package_name() -> str:
    """The name of the package around this file; where the webui gave it none, it is imported under a name of its own.

    Importing by path keeps the webui's other extensions off sys.path; keeping the package in sys.modules makes a
    second run of this file meet the same patches, settings and status as the first.
    """
    if __package__:
        return __package__
    if _NAME_WITHOUT_A_PACKAGE not in sys.modules:
        folder = Path(__file__).resolve().parent
        spec = importlib.util.spec_from_file_location(
            _NAME_WITHOUT_A_PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"no Python package in {folder}")
        package = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
        sys.modules[_NAME_WITHOUT_A_PACKAGE] = package
    return _NAME_WITHOUT_A_PACKAGE


def _import_extension() -> Any:
    try:
        return importlib.import_module(".extension", _package_name())
    except Exception as error:
        _say(
            f"The extension could not start: {type(error).__name__}: {error}. Models load and chat as without it. "
            "Install what its requirements.txt names, or replace its folder by a fresh copy."
        )
        return None


def _call(hook: str, *given: Any) -> Any:
    """Run a hook of extension.py. One that cannot run hands back what it was given, and says so once."""
    try:
        if _extension is not None:
            return getattr(_extension, hook)(*given)
    except Exception as error:
        _say(f"{hook} failed: {type(error).__name__}: {error}. The webui goes on as without it.")
    return given[0] if given else ""


def _say(sentence: str) -> None:
    if sentence not in _said:
        _said.add(sentence)
        print(f"[airoboros_longctx] {sentence}", file=sys.stderr, flush=True)


_extension = _import_extension()
params: dict[str, Any] = getattr(_extension, "params", {})  # the very dict that extension.py reads


def setup() -> None:
    _call("setup", __name__)


def ui() -> None:
    _call("ui")


def state_modifier(state: Any) -> Any:
    return _call("state_modifier", state)


def tokenizer_modifier(state: Any, prompt: Any, input_ids: Any, input_embeds: Any) -> Any:
    found = _call("tokenizer_modifier", state, prompt, input_ids, input_embeds)
    return found if isinstance(found, tuple) else (prompt, input_ids, input_embeds)


def custom_css() -> Any:
    return _call("custom_css")


def custom_js() -> Any:
    return _call("custom_js")
