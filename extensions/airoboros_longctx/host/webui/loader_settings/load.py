"""One load as a loader's settings see it, and arguments that are set for it and taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....core.context_plan import ContextPlan
from ....core.ports import Undo


@dataclass(frozen=True)
class Load:
    """``args`` is the webui's ``shared.args``; ``path`` the model's folder or file; ``provided`` the user's flags."""

    plan: ContextPlan
    args: Any
    path: Path
    provided: tuple[str, ...] = ()


def set_attributes(place: Any, values: Mapping[str, Any]) -> Undo:
    """Set those of ``values`` that ``place`` has; the undo restores each one that is still ours."""
    ours = {name: value for name, value in values.items() if hasattr(place, name)}
    before = {name: getattr(place, name) for name in ours}
    for name, value in ours.items():
        setattr(place, name, value)

    def undo() -> None:
        while before:
            name, value = before.popitem()
            if getattr(place, name) is ours[name] or getattr(place, name) == ours[name]:
                setattr(place, name, value)

    return undo


def one_after_the_other(steps: Iterable[Callable[[], Undo]]) -> Undo:
    """Take ``steps``; the undo takes them back, the last one first. Where one fails, those before it are taken back."""
    done = contextlib.ExitStack()
    try:
        for step in steps:
            done.callback(step())
    except BaseException:
        done.close()
        raise
    return done.close


def whole(number: float) -> int | float:
    """``4.0`` as ``4``: v1.x's own arguments are whole numbers."""
    return int(number) if float(number).is_integer() else number
