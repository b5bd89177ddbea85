"""Rotary modules that run scaled while their own tensors stay as they are.

A module is scaled by giving it a subclass of its own class in which the one thing the library's ``forward`` reads (the
tables, or the frequencies) is a property that answers with scaled values. The library's ``forward`` is the one that
runs, whoever wraps it (accelerate's hooks, a compiler). Nothing that belongs to the module is overwritten, so moving,
casting and undoing it give exactly what they would have given without us.

What is scaled, and by what, is kept on the module itself: a second copy of this package in the same process sees it.
"""

from __future__ import annotations

import inspect
import weakref
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from .frequencies import interpolated_frequencies
from .scaled_table import ScaledTable

#: The name under which a module carries its ``ScalingState``.
STATE_ATTRIBUTE = "_airoboros_longctx_scaling"
#: The name under which a class made here carries the class that it was made from.
LIBRARY_CLASS_ATTRIBUTE = "_airoboros_longctx_library_class"


@dataclass(eq=False)
class ScalingState:
    """One application of a scaling to one module; ``previous`` is the one that it covers."""

    factor: float
    table: ScaledTable
    previous: ScalingState | None = None
    inv_freq_by_device: dict[torch.device, Tensor] = field(default_factory=dict)

    def inv_freq(self, device: torch.device) -> Tensor:
        """The scaled frequencies, float32, shape ``(head_dim / 2,)``."""
        scaled = self.inv_freq_by_device.get(device)
        if scaled is None:
            with torch.inference_mode(False), torch.no_grad():
                scaled = interpolated_frequencies(self.table.inv_freq, self.factor).to(device)
            self.inv_freq_by_device[device] = scaled
        return scaled


def scaling_state(module: nn.Module) -> ScalingState | None:
    """The scaling that this extension runs on ``module`` now."""
    return module.__dict__.get(STATE_ATTRIBUTE)


def _own_buffer(module: nn.Module, name: str) -> Tensor:
    buffer = module._buffers.get(name)
    if buffer is None:  # an AttributeError tells register_buffer that the name is still free
        raise AttributeError(f"{type(module).__name__!r} object has no buffer {name!r}")
    return buffer


class SharedTables:
    """Mixed into a class whose ``forward`` slices ``cos_cached`` and ``sin_cached`` (Transformers 4.31 to 4.37).

    The module's own two buffers only tell device, dtype and number of dimensions; the rows are the shared table's.
    """

    def _rows(self, name: str, index: int) -> Tensor:
        assert isinstance(self, nn.Module)
        own = _own_buffer(self, name)
        state = scaling_state(self)
        if state is None:
            return own
        rows = state.table.cos_sin(own.device, own.dtype)[index]
        return rows.reshape((1,) * (own.dim() - 2) + tuple(rows.shape))

    @property
    def cos_cached(self) -> Tensor:
        return self._rows("cos_cached", 0)

    @property
    def sin_cached(self) -> Tensor:
        return self._rows("sin_cached", 1)

    @property
    def max_seq_len_cached(self) -> int:
        state = self.__dict__.get(STATE_ATTRIBUTE)
        if state is not None:
            return int(state.table.length)
        try:
            return int(self.__dict__["max_seq_len_cached"])
        except KeyError as missing:
            raise AttributeError(str(missing)) from None

    @max_seq_len_cached.setter
    def max_seq_len_cached(self, length: int) -> None:
        self.__dict__["max_seq_len_cached"] = length

    def _set_cos_sin_cache(self, seq_len: int, device: Any, dtype: Any) -> None:
        """Called when a longer sequence needs longer tables: they grow, scaled, once for all layers."""
        state = self.__dict__.get(STATE_ATTRIBUTE)
        if state is None:
            super()._set_cos_sin_cache(seq_len=seq_len, device=device, dtype=dtype)  # type: ignore[misc]
        else:
            state.table.reserve(seq_len)


class ScaledFrequencies:
    """Mixed into a class whose ``forward`` multiplies ``inv_freq`` with the positions (Transformers from 4.38 on)."""

    @property
    def inv_freq(self) -> Tensor:
        assert isinstance(self, nn.Module)
        own = _own_buffer(self, "inv_freq")
        state = scaling_state(self)
        return own if state is None else state.inv_freq(own.device)


@dataclass(frozen=True)
class ModuleShape:
    """One row of the table: how a rotary module is asked for angles, and what makes it scaled."""

    name: str
    transformers: str
    forward_argument: str
    buffers: tuple[str, ...]
    mixin: type


#: Told apart by the argument of ``forward`` and the buffers, never by a version. The first row that fits counts.
MODULE_SHAPES = (
    ModuleShape("frequencies", "4.38 and later", "position_ids", ("inv_freq",), ScaledFrequencies),
    ModuleShape("tables", "4.31 to 4.37", "seq_len", ("inv_freq", "cos_cached", "sin_cached"), SharedTables),
)


def module_shape(module: nn.Module) -> ModuleShape | None:
    """The row that ``module`` fits, or None."""
    try:
        arguments = inspect.signature(module.forward).parameters
    except (TypeError, ValueError):
        return None
    for shape in MODULE_SHAPES:
        if shape.forward_argument in arguments and all(name in module._buffers for name in shape.buffers):
            return shape
    return None


_scaled_classes: weakref.WeakValueDictionary[tuple[int, int], type] = weakref.WeakValueDictionary()


def scaled_class(library_class: type, mixin: type) -> type:
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
    state.previous = scaling_state(module)
    if not isinstance(module, shape.mixin):
        module.__class__ = scaled_class(type(module), shape.mixin)
    module.__dict__[STATE_ATTRIBUTE] = state


def take_scaling(module: nn.Module, state: ScalingState) -> bool:
    """Take ``state`` away again, from under a later one too. False when it is not there any more.

    The class goes back as well if it is still the one we gave. If somebody put a class of theirs over it, it stays,
    and without a state the properties just pass the module's own tensors through.
    """
    current = scaling_state(module)
    if current is state:
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
