"""Replacing a function of the webui wherever it is already bound.

The webui binds its functions by ``from … import`` in many modules, so replacing the attribute of the home module
alone misses most callers. A wrapper that cannot be taken out again (somebody wrapped it in turn) becomes a
pass-through instead: restoring the original under another's wrapper would destroy theirs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

Wrapper = Callable[..., Any]

_HOST_MODULES = ("__main__", "server", "modules", "extensions", "user_data")
_INSIDE_THEM = (*(f"{name}." for name in _HOST_MODULES), "user_ext_")
_OUR_PACKAGE = __name__.removesuffix(".host.webui.rebinding") + "."


def host_modules() -> list[ModuleType]:
    """The modules of the webui and of its other extensions that are imported now."""
    return [
        module
        for name, module in list(sys.modules.items())
        if (name.startswith(_INSIDE_THEM) or name in _HOST_MODULES)
        and module is not None
        and not name.startswith(_OUR_PACKAGE)
    ]


def _rebind(old: object, new: object, modules: list[ModuleType]) -> int:
    count = 0
    for module in modules:
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, new)
                count += 1
    return count


class Rebinding:
    """``around(original, *args, **kwargs)`` runs in place of ``module.name`` until ``revert``.

    ``modules`` are the ``host_modules()`` of now, for several at once: finding them takes longer than looking at them.
    """

    def __init__(self, module: ModuleType, name: str, around: Wrapper, modules: list[ModuleType] | None = None) -> None:
        original = getattr(module, name)
        self.original: Wrapper = original
        self.active = True

        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if not self.active:
                return original(*args, **kwargs)
            return around(original, *args, **kwargs)

        wrapper.__airoboros_longctx__ = True  # type: ignore[attr-defined]
        self.wrapper: Wrapper = wrapper
        self.bindings = _rebind(original, wrapper, host_modules() if modules is None else modules)

    def revert(self) -> None:
        """Bind the original again wherever our wrapper is; pass through wherever it cannot be reached."""
        self.active = False
        _rebind(self.wrapper, self.original, host_modules())


def is_ours(function: object) -> bool:
    """True for a wrapper that is already in place."""
    return bool(getattr(function, "__airoboros_longctx__", False))
