"""Asking a rotary module for its cosines and sines at chosen positions, without leaving a trace in the model.

Tables that grow and frequencies that adapt to the length are kept on the module by the libraries. So the question goes
to a shallow twin: same class, same overrides, same tensors, but attributes and buffers of its own to write into.
"""

from __future__ import annotations

import functools
import inspect
import types
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

#: A doubling ladder, so that an angle known at one position says how many full turns the next one has made, and a few
#: positions off the ladder, where a table that is not linear in the position shows.
POSITIONS = (0, 1, 2, 3, 4, 7, 8, 16, 27, 32, 64, 100, 128, 256, 511, 512, 1024, 1500, 2047, 2048)
#: The length to which a twin's emptied tables are grown again: short, because only the rule is asked for.
REGROWN_LENGTH = 129


@dataclass(frozen=True)
class Rows:
    """What a module answered: ``cos`` and ``sin`` are float64, on the CPU, shape ``(len(positions), head_dim)``."""

    positions: tuple[int, ...]
    cos: Tensor
    sin: Tensor

    def same_as(self, other: Rows) -> bool:
        return (
            self.positions == other.positions and torch.equal(self.cos, other.cos) and torch.equal(self.sin, other.sin)
        )

    def up_to(self, position: int) -> Rows:
        """The rows of the positions not above ``position``."""
        kept = [index for index, row in enumerate(self.positions) if row <= position]
        return Rows(tuple(self.positions[index] for index in kept), self.cos[kept], self.sin[kept])


def _positions_below(length: int) -> tuple[int, ...]:
    return tuple(position for position in POSITIONS if position < length)


def _rows(positions: tuple[int, ...], cos: Tensor, sin: Tensor) -> Rows:
    """From tensors whose last two dimensions are ``(positions, head_dim)``, the others 1."""
    shape = (-1, cos.shape[-1])
    to_plain = {"device": "cpu", "dtype": torch.float64}
    return Rows(positions, cos.reshape(shape).to(**to_plain), sin.reshape(shape).to(**to_plain))  # type: ignore[call-overload]


def twin(module: nn.Module) -> nn.Module:
    """A shallow copy of ``module`` that can be called and written to without changing ``module``."""
    copy: nn.Module = module.__class__.__new__(module.__class__)
    copy.__dict__.update(module.__dict__)
    for name, value in module.__dict__.items():
        if isinstance(value, (dict, set)):
            copy.__dict__[name] = type(value)(value) if type(value) in (dict, set) else value.copy()
    for name in ("forward", "_old_forward"):  # accelerate binds both to the module that it hooked
        bound = module.__dict__.get(name)
        if isinstance(bound, types.MethodType) and bound.__self__ is module:
            copy.__dict__[name] = types.MethodType(bound.__func__, copy)
        elif isinstance(bound, functools.partial) and bound.args and bound.args[0] is module:
            rebound = functools.partial(bound.func, copy, *bound.args[1:], **bound.keywords)
            copy.__dict__[name] = functools.update_wrapper(rebound, bound)
    return copy


def _place(module: nn.Module) -> torch.device:
    tensors = (buffer for buffer in module._buffers.values() if buffer is not None and buffer.device.type != "meta")
    return next((tensor.device for tensor in tensors), torch.device("cpu"))


def _arguments(module: nn.Module) -> Any:
    return inspect.signature(module.forward).parameters


def keeps_tables(module: nn.Module) -> bool:
    """True for a module that is asked for a length, False for one that is asked for positions."""
    return "position_ids" not in _arguments(module)


@torch.no_grad()
def ask_module(module: nn.Module, window: int | None) -> Rows:
    """Rows of ``module`` as a forward pass gets them, at probe positions below ``window`` tokens (None: all)."""
    asked, place = twin(module), _place(module)
    if not keeps_tables(module):
        positions = _positions_below(window or POSITIONS[-1] + 1)
        hidden = torch.zeros(1, 1, 1, 1, device=place, dtype=torch.float32)
        cos, sin = asked(hidden, torch.tensor([positions], device=place))
        return _rows(positions, cos, sin)
    cached = getattr(module, "max_seq_len_cached", None) or window or POSITIONS[-1]
    length = min(int(cached), POSITIONS[-1] + 1)
    table = getattr(module, "cos_cached", None)
    dtype = table.dtype if isinstance(table, Tensor) else torch.float32
    cos, sin = asked(torch.zeros(1, 1, 1, 1, device=place, dtype=dtype), seq_len=length)
    positions = _positions_below(length)
    rows = torch.tensor(positions, device=cos.device)
    return _rows(positions, cos[..., rows, :], sin[..., rows, :])


@torch.no_grad()
def ask_module_when_grown(module: nn.Module, window: int | None) -> Rows:
    """Rows of ``module`` after its tables were made again, or (without tables) in a sequence longer than ``window``.

    A table that was exchanged by hand comes back as the module's own rule makes it, and scaling that depends on the
    length ("dynamic") shows. The twin believes in a short window, so that little has to be computed.
    """
    asked, place = twin(module), _place(module)
    if not keeps_tables(module):
        positions = _positions_below(window or POSITIONS[-1] + 1)
        far = 2 * (window or POSITIONS[-1]) + 1
        cos, sin = asked(
            torch.zeros(1, 1, 1, 1, device=place, dtype=torch.float32), torch.tensor([[*positions, far]], device=place)
        )
        return _rows(positions, cos[..., :-1, :], sin[..., :-1, :])
    for name, length in (("max_seq_len_cached", 0), ("max_position_embeddings", REGROWN_LENGTH // 2)):
        if name in asked.__dict__:
            asked.__dict__[name] = length
    cos, sin = asked(torch.zeros(1, 1, 1, 1, device=place, dtype=torch.float32), seq_len=REGROWN_LENGTH)
    positions = _positions_below(REGROWN_LENGTH)
    rows = torch.tensor(positions, device=cos.device)
    return _rows(positions, cos[..., rows, :], sin[..., rows, :])


def ask_tables(cos: Tensor, sin: Tensor) -> Rows:
    """Rows of two finished tables whose last two dimensions are ``(length, head_dim)``."""
    positions = _positions_below(int(cos.shape[-2]))
    rows = torch.tensor(positions, device=cos.device)
    return _rows(positions, cos[..., rows, :], sin[..., rows, :])
