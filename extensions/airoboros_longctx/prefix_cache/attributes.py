"""What stands in an object's attributes, as something to compare."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor

_PLAIN = (int, float, complex, str, bytes, type(None))
#: Lists and dictionaries are followed so far; an object in them, and all other objects, are the same or not.
_DEPTH = 3


class Same:
    """Equal to what refers to the very same object, for as long as that lives: weakly, where it lets us."""

    def __init__(self, value: Any) -> None:
        self._value: Callable[[], Any]
        try:
            self._value = weakref.ref(value)
        except TypeError:
            self._value = lambda: value

    def __eq__(self, other: object) -> bool:
        value = self._value()
        return isinstance(other, Same) and value is not None and other._value() is value

    __hash__ = None  # type: ignore[assignment]


def comparable(value: Any, tensors: list[Tensor], depth: int = _DEPTH) -> Any:
    """``value`` as something to compare; its tensors are added to ``tensors``, for the caller to look at."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Tensor):
        tensors.append(value)
        return Tensor
    if depth and isinstance(value, (list, tuple)):
        return (type(value), *(comparable(one, tensors, depth - 1) for one in value))
    if depth and isinstance(value, dict):
        found = (comparable(one, tensors, depth - 1) for pair in list(value.items()) for one in pair)
        return (type(value), *found)
    return Same(value)
