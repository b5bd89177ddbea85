"""Rotary modules that run scaled, and can be put back exactly.

A module is scaled by exchanging the one thing that the library's ``forward`` reads: the tables, or the frequencies.
The library's ``forward`` is the one that runs, whoever wraps it (accelerate's hooks, a compiler). The module's own
tensors wait beside the scaled ones, as buffers with names of their own, and are moved and cast along with the model:
what comes back is what would be there without us. A tensor that somebody puts in place of ours is theirs, and stays.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from .divided_positions import put_divided_positions, take_divided_positions
from .scaled_frequencies import ScaledFrequencies, put_frequencies, take_frequencies
from .scaling_state import STATE_ATTRIBUTE, ScalingState, scaling_state
from .shared_tables import SharedTables, put_tables, take_tables

#: The name under which a class made here carries the class that it was made from.
LIBRARY_CLASS_ATTRIBUTE = "_airoboros_longctx_library_class"


@dataclass(frozen=True)
class ModuleShape:
    """One row of the table: how a rotary module is asked for angles, and how it is made to run scaled and put back.

    ``needs`` are tensors that it must have, ``marks`` other attributes.
    """

    name: str
    transformers: str
    forward_argument: str
    needs: tuple[str, ...]
    marks: tuple[str, ...]
    mixin: type
    put: Callable[[nn.Module, ScalingState], None]
    take: Callable[[nn.Module, ScalingState], None]

    @property
    def divides_positions(self) -> bool:
        """True where linear scaling divides positions in the forward pass, as the library of that time does."""
        return self.put is put_divided_positions


#: Told apart by the argument of ``forward`` and the tensors, never by a version. The first row that fits counts.
MODULE_SHAPES = (
    ModuleShape(
        "frequencies and divided positions",
        "4.38 to 4.42",
        "position_ids",
        ("inv_freq",),
        ("scaling_factor",),
        ScaledFrequencies,
        put_divided_positions,
        take_divided_positions,
    ),
    ModuleShape(
        "frequencies",
        "4.43 and later",
        "position_ids",
        ("inv_freq",),
        (),
        ScaledFrequencies,
        put_frequencies,
        take_frequencies,
    ),
    ModuleShape(
        "tables",
        "4.31 to 4.37",
        "seq_len",
        ("inv_freq", "cos_cached", "sin_cached"),
        (),
        SharedTables,
        put_tables,
        take_tables,
    ),
)


def module_shape(module: nn.Module) -> ModuleShape | None:
    """The row that ``module`` fits, or None."""
    try:
        arguments = inspect.signature(module.forward).parameters
    except (TypeError, ValueError):
        return None
    for shape in MODULE_SHAPES:
        tensors = (getattr(module, name, None) for name in shape.needs)
        if (
            shape.forward_argument in arguments
            and all(isinstance(tensor, Tensor) for tensor in tensors)
            and all(hasattr(module, mark) for mark in shape.marks)
        ):
            return shape
    return None


_scaled_classes: weakref.WeakValueDictionary[tuple[int, int], type] = weakref.WeakValueDictionary()


def _scaled_class(library_class: type, mixin: type) -> type:
    """The subclass of ``library_class`` whose instances run scaled; always the same one for the same two classes."""
    key = (id(library_class), id(mixin))
    made = _scaled_classes.get(key)
    if made is None or made.__bases__ != (mixin, library_class):
        body = {"__module__": __name__, LIBRARY_CLASS_ATTRIBUTE: library_class}
        made = type(f"Scaled{library_class.__name__}", (mixin, library_class), body)
        _scaled_classes[key] = made
    return made


def put_scaling(module: nn.Module, shape: ModuleShape, state: ScalingState) -> None:
    """Run ``module`` with ``state``; what it ran before is kept as ``state.previous``."""
    state.previous, own_class = scaling_state(module), type(module)
    if not isinstance(module, shape.mixin):
        module.__class__ = _scaled_class(own_class, shape.mixin)
    try:
        shape.put(module, state)
    except Exception:
        module.__class__ = own_class
        raise
    module.__dict__[STATE_ATTRIBUTE] = state


def take_scaling(module: nn.Module, shape: ModuleShape, state: ScalingState) -> bool:
    """Take ``state`` away again, from under a later one too. False when it is not there any more.

    The class goes back as well if it is still the one we gave. If somebody put a class of theirs over it, it stays,
    and without a state ours does nothing.
    """
    current = scaling_state(module)
    if current is state:
        shape.take(module, state)
        if state.previous is not None:
            module.__dict__[STATE_ATTRIBUTE] = state.previous
            return True
        del module.__dict__[STATE_ATTRIBUTE]
        library_class = type(module).__dict__.get(LIBRARY_CLASS_ATTRIBUTE)
        if library_class is not None:
            module.__class__ = library_class
        return True
    while current is not None:
        if current.previous is state:
            current.previous = state.previous
            return True
        current = current.previous
    return False
