"""A prompt's keys and values, as plain tensors and as the library's cache.

``KeyValues``: for each layer the keys and the values, shape ``(1, kv_heads, tokens, head_dim)``. Transformers up to
4.35 takes them as tuples; from 4.36 on its ``DynamicCache`` grows by concatenation, and never writes into ours. Told
apart by looking. Where it consists of layers (from 4.54 on), they get room for a whole prompt at once.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

KeyValues = list[tuple[Tensor, Tensor]]
#: The library's layers that keep every position, each once.
_PLAIN_LAYERS = ("DynamicLayer",)
#: A view may keep so much more memory alive than it shows before it is copied.
_WASTE = 1.125


def cache_class() -> type | None:
    """The library's growing cache; None where it has tuples only."""
    try:
        from transformers.cache_utils import DynamicCache
    except ImportError:
        return None
    return DynamicCache if isinstance(DynamicCache, type) else None


def new_past(config: Any, layers: KeyValues, room: int = 0) -> Any:
    """What ``generate`` takes as the past that ``layers`` are; ``layers`` is empty afterwards.

    ``room``: memory for so many tokens is taken at once, where the library lets us, and not anew for each pass.
    None stands for the tuples of nothing. Raises ValueError for a model whose layers do not keep every position.
    """
    made = cache_class()
    if made is None:
        past = tuple(layers) or None
        layers.clear()
        return past
    with_config = "config" in inspect.signature(made).parameters
    cache = made(config=config) if with_config else made()
    kinds = {type(layer).__name__ for layer in getattr(cache, "layers", ())}
    if kinds - set(_PLAIN_LAYERS):
        raise ValueError(f"cache layers of the kind {', '.join(sorted(kinds))}")
    if kinds and room:
        cache.layers = [_roomy_layer_class()(room) for _ in cache.layers]
    for number in range(len(layers)):
        keys, values = layers.pop(0)
        if kinds:  # they would copy what they are given, and so they are given nothing first
            cache.update(keys[..., :0, :], values[..., :0, :], number)
            cache.layers[number].keys, cache.layers[number].values = keys, values
        else:
            cache.update(keys, values, number)
    return cache


@functools.cache
def _roomy_layer_class() -> Any:
    """The library's layer, with memory for ``room`` tokens; past them it grows as the library's does."""
    from transformers.cache_utils import DynamicLayer

    class RoomyLayer(DynamicLayer):  # type: ignore[misc,unused-ignore]
        keys: Any
        values: Any

        def __init__(self, room: int) -> None:
            super().__init__()
            self._room = room
            self._memory: tuple[Tensor, ...] = ()

        def update(self, key_states: Tensor, value_states: Tensor, *given: Any, **named: Any) -> Any:
            new, held = (key_states, value_states), self.get_seq_length()
            end = held + key_states.shape[-2]
            if end in (0, held) or end > self._room:
                self._memory = ()
                return super().update(*new, *given, **named)
            if not self._memory:
                if not self.is_initialized:
                    super().update(*(tensor[..., :0, :] for tensor in new), *given, **named)
                self._memory = tuple(one.new_empty((*one.shape[:-2], self._room, one.shape[-1])) for one in new)
                self._write((self.keys, self.values) if held else (), 0, held)
            self._write(new, held, end)
            self.keys, self.values = (memory[..., :end, :] for memory in self._memory)
            return self.keys, self.values

        def _write(self, tensors: Sequence[Tensor], start: int, end: int) -> None:
            for memory, tensor in zip(self._memory, tensors, strict=False):
                memory[..., start:end, :] = tensor

    return RoomyLayer


def layers_of(past: Any) -> KeyValues:
    """The tensors of ``past``, which stay its own."""
    if past is None:
        return []
    if isinstance(past, tuple):
        return [(layer[0], layer[1]) for layer in past]
    if hasattr(past, "layers"):
        return [(layer.keys, layer.values) for layer in past.layers]
    return list(zip(past.key_cache, past.value_cache, strict=True))


def taken_out(past: Any) -> KeyValues:
    """The tensors of ``past``, which is emptied where it is a cache: nothing else keeps them alive then."""
    layers = layers_of(past)
    for name in ("layers", "key_cache", "value_cache"):
        tensors = getattr(past, name, None)
        if isinstance(tensors, list):
            tensors.clear()
    return layers


def lengths(past: Any) -> set[int]:
    """The tokens in each layer of ``past``: one number, unless something stopped in the middle of a pass."""
    found = set()
    for pair in layers_of(past):
        found |= {int(tensor.shape[-2]) if isinstance(tensor, Tensor) else 0 for tensor in pair}
    return found


def first_tokens(layers: Sequence[tuple[Tensor, Tensor]], tokens: int, own: bool = False) -> KeyValues:
    """The first ``tokens`` of ``layers``. What would keep much more memory alive than it shows is copied; ``own``: all.

    A list of ``layers`` is emptied on the way, so that only one layer is there twice at a time; a tuple is left alone.
    """
    cropped: KeyValues = []
    rest = layers if isinstance(layers, list) else list(layers)
    while rest:
        keys, values = rest.pop(0)
        cropped.append((_first(keys, tokens, own), _first(values, tokens, own)))
    return cropped


def _first(tensor: Tensor, tokens: int, own: bool) -> Tensor:
    view = tensor.detach()[..., :tokens, :]
    wasteful = stored_bytes(view) > _WASTE * view.numel() * view.element_size()
    return view.clone(memory_format=torch.contiguous_format) if own or wasteful else view


def stored_bytes(tensor: Tensor) -> int:
    """The bytes that ``tensor`` keeps alive: all of its storage, whatever part of it a view shows."""
    return int(tensor.untyped_storage().nbytes())


def bytes_per_token(config: Any, element_size: int) -> int:
    """What each token of a prompt takes: keys and values, in every layer, for every key-value head."""
    heads = int(config.num_attention_heads)
    kv_heads = int(getattr(config, "num_key_value_heads", None) or heads)
    head_dim = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
    return 2 * int(config.num_hidden_layers) * kv_heads * head_dim * element_size


def bytes_by_device(layers: KeyValues) -> dict[str, int]:
    """The bytes of ``layers`` in each memory, each storage once."""
    storages = {
        (str(tensor.device), tensor.untyped_storage().data_ptr()): stored_bytes(tensor)
        for pair in layers
        for tensor in pair
    }
    held: dict[str, int] = {}
    for (device, _), size in storages.items():
        held[device] = held.get(device, 0) + size
    return held
