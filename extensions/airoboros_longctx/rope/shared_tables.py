"""Rotary modules that slice tables (Transformers 4.31 to 4.37), with one scaled table for all layers."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from .scaling_state import STATE_ATTRIBUTE, WAITING, ScalingState


def _rename_buffer(module: nn.Module, old: str, new: str) -> None:
    module._buffers[new] = module._buffers.pop(old)
    if old in module._non_persistent_buffers_set:
        module._non_persistent_buffers_set.discard(old)
        module._non_persistent_buffers_set.add(new)


class SharedTables:
    """Mixed into a class whose ``forward`` slices ``cos_cached`` and ``sin_cached`` (Transformers 4.31 to 4.37).

    While a state is there, both are rows of its shared table, and no buffers: nothing can make copies of them per
    layer. The waiting buffers tell device, dtype and number of dimensions. Tables that somebody registers meanwhile
    count instead.
    """

    _buffers: dict[str, Tensor | None]

    def _rows(self, name: str, index: int) -> Tensor:
        own = self._buffers.get(name)
        if own is not None:
            return own
        waiting = self._buffers.get(WAITING + name)
        state: ScalingState | None = self.__dict__.get(STATE_ATTRIBUTE)
        if waiting is None or state is None:
            raise AttributeError(f"{type(self).__name__!r} object has no buffer {name!r}")
        rows = state.rope.table.cos_sin(waiting.device, waiting.dtype)[index]
        return rows.reshape((1,) * (waiting.dim() - 2) + tuple(rows.shape))

    @property
    def cos_cached(self) -> Tensor:
        return self._rows("cos_cached", 0)

    @cos_cached.setter
    def cos_cached(self, theirs: Tensor) -> None:
        self._buffers["cos_cached"] = theirs

    @property
    def sin_cached(self) -> Tensor:
        return self._rows("sin_cached", 1)

    @sin_cached.setter
    def sin_cached(self, theirs: Tensor) -> None:
        self._buffers["sin_cached"] = theirs

    def _runs_scaled(self) -> bool:
        return STATE_ATTRIBUTE in self.__dict__ and "cos_cached" not in self._buffers

    @property
    def max_seq_len_cached(self) -> int:
        if self._runs_scaled():
            return int(self.__dict__[STATE_ATTRIBUTE].rope.table.length)
        try:
            return int(self.__dict__["max_seq_len_cached"])
        except KeyError as missing:
            raise AttributeError(str(missing)) from None

    @max_seq_len_cached.setter
    def max_seq_len_cached(self, length: int) -> None:
        self.__dict__["max_seq_len_cached"] = length

    def register_buffer(self, name: str, *arguments: Any, **keywords: Any) -> None:
        if name in ("cos_cached", "sin_cached"):
            self._buffers.setdefault(name, None)  # a property is no reason to refuse the name
        super().register_buffer(name, *arguments, **keywords)  # type: ignore[misc]

    def _set_cos_sin_cache(self, seq_len: int, device: Any, dtype: Any) -> None:
        """Called when a longer sequence needs longer tables: they grow, scaled, once for all layers."""
        if self._runs_scaled():
            self.__dict__[STATE_ATTRIBUTE].rope.table.reserve(seq_len)
        else:
            super()._set_cos_sin_cache(seq_len=seq_len, device=device, dtype=dtype)  # type: ignore[misc]


def put_tables(module: nn.Module, state: ScalingState) -> None:
    """Hide the module's own tables behind those of ``state``."""
    for name in ("cos_cached", "sin_cached"):
        if name in module._buffers:
            _rename_buffer(module, name, WAITING + name)


def take_tables(module: nn.Module, state: ScalingState) -> None:
    for name in ("cos_cached", "sin_cached"):
        if state.previous is None and WAITING + name in module._buffers:
            if name in module._buffers:  # somebody else's by now
                del module._buffers[WAITING + name]
                module._non_persistent_buffers_set.discard(WAITING + name)
            else:
                _rename_buffer(module, WAITING + name, name)
