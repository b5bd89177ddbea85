"""What a model's keys and values depend on besides the tokens, as something to compare.

Every tensor of the model is looked at: where it is, how often PyTorch saw it change, and a sample of its numbers,
because a change through ``.data`` is seen by nobody. So is the code of every module. Of the rotary embedding, which is
exchanged in many ways, all is compared but how far its tables reach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

#: Elements looked at in each dimension of a tensor of two: 64 in all.
_SAMPLES = 8
#: Rows of a rotary embedding's table that are looked at.
_TABLE_ROWS = (1, 2, 3, 5, 17, 31)
_MODULE_INTERNALS = frozenset(vars(nn.Module())) | {"config", "max_seq_len_cached"}

#: Numbers of less precision than float32, and the integers that stand for quantised weights.
_LESS_PRECISE = {torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.int16, torch.int32}

ModelState = tuple[Any, ...]


class UnwatchableModelError(Exception):
    """Nobody could see that this model has changed; the text says why."""


def model_state(model: nn.Module) -> ModelState:
    """Equal for the same ``model`` only as long as its keys and values would be. Raises UnwatchableModelError."""
    if model.training:
        raise UnwatchableModelError("the model is being trained")
    dropout = bool(getattr(model.config, "attention_dropout", 0))
    places: list[Any] = [autocast()]
    samples: dict[torch.device, list[Tensor]] = {}
    rotary: list[Any] = []
    code: dict[type, Any] = {}
    for module in model.modules():
        if module.training and (dropout or (isinstance(module, nn.Dropout) and module.p > 0)):
            raise UnwatchableModelError("a part of the model is being trained")
        places.append(module.training)
        code[type(module)] = type(module).forward
        if "forward" in vars(module):
            places.append(_Same(vars(module)["forward"]))
        scaling = module.__dict__.get("scaling")
        if isinstance(scaling, dict):  # a layer with LoRAs
            places.append(_adapters(module, scaling))
        if "Rotary" in type(module).__name__:
            rotary.append(_rotary(module))
    for tensor in _tensors(model):
        if tensor.is_meta:
            raise UnwatchableModelError("its weights are put away between the layers")
        places.append((tensor.data_ptr(), _version(tensor), tensor.dtype, tuple(tensor.shape), str(tensor.device)))
        samples.setdefault(tensor.device, []).append(_sample(tensor))
    digest = hashlib.blake2b(digest_size=16)
    for found in samples.values():
        digest.update(torch.cat(found).cpu().numpy().tobytes())
    return (*places, tuple(code.items()), tuple(rotary), digest.digest())


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    """Every parameter, and every buffer but the rotary embedding's, whose tables grow."""
    yield from model.parameters()
    for module in model.modules():
        if "Rotary" not in type(module).__name__:
            yield from (buffer for buffer in module._buffers.values() if buffer is not None)


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else int(tensor._version)


def _sample(tensor: Tensor) -> Tensor:
    found = tensor.detach()
    most = _SAMPLES if found.dim() > 1 else _SAMPLES**2
    for dimension, size in enumerate(found.shape):
        step = max(1, size // most)
        found = found.narrow(dimension, step // 2, size - step // 2) if size else found
        found = found[(slice(None),) * dimension + (slice(None, None, step),)]
    return found.reshape(-1).to(torch.float64)


def _rotary(module: nn.Module) -> tuple[Any, ...]:
    """What ``module`` turns by: its code, its numbers, its frequencies and the beginning of its tables."""
    plain = tuple((name, value) for name, value in sorted(vars(module).items()) if name not in _MODULE_INTERNALS)
    tensors = [value for _, value in plain if isinstance(value, Tensor)] + [
        buffer for buffer in module._buffers.values() if buffer is not None
    ]
    others = tuple((name, _comparable(value)) for name, value in plain if not isinstance(value, Tensor))
    return (type(module), type(module).forward, others, tuple(_rows(tensor) for tensor in tensors))


class _Same:
    """Equal to what holds the very same object."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    __hash__ = None  # type: ignore[assignment]


def _comparable(value: Any) -> Any:
    return value if isinstance(value, (int, float, str, bool, type(None))) else _Same(value)


def _rows(tensor: Tensor) -> bytes:
    rows = tensor.detach().reshape(-1, tensor.shape[-1]) if tensor.dim() else tensor.detach().reshape(1, 1)
    if tensor.dim() > 1:
        rows = rows[[row for row in _TABLE_ROWS if row < len(rows)]]
    return bytes(rows.to(torch.float64).cpu().numpy().tobytes())


def _adapters(module: nn.Module, scaling: dict[str, Any]) -> tuple[Any, ...]:
    """Which LoRAs a layer has, which of them count, how much, and whether they are merged into its weights."""
    switches = ("active_adapters", "active_adapter", "disable_adapters", "merged", "merged_adapters")
    return (repr(scaling), *(repr(getattr(module, name, None)) for name in switches))


def is_exact(model: nn.Module) -> bool:
    """True where ``model`` computes in float32: the way in which a prompt is cut shows in no token then."""
    kinds = {tensor.dtype for tensor in (*model.parameters(), *model.buffers())}
    return not kinds & _LESS_PRECISE and not any(autocast())


def autocast() -> tuple[bool, ...]:
    """Whether PyTorch computes in lower precision of its own, on a CPU and on a GPU."""
    try:
        return tuple(torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda"))
    except TypeError:  # it took no argument before PyTorch 2.4
        return (torch.is_autocast_cpu_enabled(), torch.is_autocast_enabled())
