"""What a model's keys and values depend on besides the tokens, as something to compare.

Every tensor of the model is looked at: where it is, how often PyTorch saw it change, and a sample of its numbers,
because a change through ``.data`` is seen by nobody. So are the code of every module, its attributes and its
configuration. Of the rotary embedding, which is exchanged in many ways, all is compared but how far its tables reach.
What a forward hook of somebody else does depends on things that nobody can look at.
"""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor, nn

from .attributes import Same, comparable
from .forward_hooks import own_global_hooks, own_hooks

#: Elements looked at in each dimension of a tensor of two: 64 in all.
_SAMPLES = 8
#: Rows of a rotary embedding's table that are looked at.
_TABLE_ROWS = (1, 2, 3, 5, 17, 31)
#: Attributes of modules that are looked at in another way, or say how to generate and not what to compute.
_OTHERWISE = frozenset(vars(nn.Module())) | {"config", "max_seq_len_cached", "generate", "generation_config"}

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
    places: list[Any] = [autocast(), *_hooks(own_global_hooks())]
    tensors: list[Tensor] = []
    configs: dict[int, Any] = {}
    code: dict[type, Any] = {}
    for module in _modules(model):
        kind, own = type(module), vars(module)
        if module.training and (dropout or (isinstance(module, nn.Dropout) and module.p > 0)):
            raise UnwatchableModelError("a part of the model is being trained")
        places.append(module.training)
        code[kind] = (Same(kind.forward), Same(kind.__call__))
        if module._forward_pre_hooks or module._forward_hooks:
            places += _hooks(own_hooks(module))
        if "config" in own:
            configs[id(own["config"])] = own["config"]
        tensors += [one for one in module._parameters.values() if one is not None]
        if "Rotary" in kind.__name__:
            places.append(_rotary(module))
            continue
        places.append([(name, comparable(own[name], tensors)) for name in own if name not in _OTHERWISE])
        tensors += [one for one in module._buffers.values() if one is not None]
    places += [_config(config) for config in configs.values()]
    return (*places, *code.items(), *map(_place, tensors), _digest(tensors))


def _modules(model: nn.Module) -> list[nn.Module]:
    """``model.modules()``, which takes three times as long."""
    found, seen = [model], {id(model)}
    for module in found:
        for child in module._modules.values():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                found.append(child)
    return found


def _hooks(ours: list[Any] | None) -> list[Any]:
    if ours is None:
        raise UnwatchableModelError("somebody else's forward hook may change what it computes")
    return [Same(hook) for hook in ours]


def _config(config: Any) -> list[Any]:
    """The plain values: which attention is used is among them."""
    values = config if isinstance(config, dict) else getattr(config, "__dict__", {})
    return [(name, one) for name, one in values.items() if isinstance(one, (int, float, str, type(None)))]


def _place(tensor: Tensor) -> tuple[Any, ...]:
    if tensor.is_meta:
        raise UnwatchableModelError("its weights are put away between the layers")
    return (tensor.data_ptr(), _version(tensor), tensor.dtype, tensor.shape, tensor.device)


@torch.no_grad()
def _digest(tensors: list[Tensor]) -> bytes:
    """Of a sample of all numbers, as they are: GPUs of Apple have no float64 to convert them to."""
    samples: dict[tuple[torch.device, torch.dtype], list[Tensor]] = {}
    for tensor in tensors:
        samples.setdefault((tensor.device, tensor.dtype), []).append(_sample(tensor))
    digest = hashlib.blake2b(digest_size=16)
    for found in samples.values():
        digest.update(_bytes(torch.cat(found)))
    return digest.digest()


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else int(tensor._version)


def _sample(tensor: Tensor) -> Tensor:
    shape = tensor.shape
    most = _SAMPLES if len(shape) > 1 else _SAMPLES**2
    steps = [max(1, size // most) for size in shape]
    return tensor[tuple([slice(step // 2, None, step) for step in steps])].reshape(-1)


def _bytes(tensor: Tensor) -> bytes:
    return bytes(tensor.cpu().contiguous().view(torch.uint8).numpy().tobytes())


def _rotary(module: nn.Module) -> tuple[Any, ...]:
    """What ``module`` turns by: its numbers, its frequencies and the beginning of its tables."""
    own = vars(module)
    tensors: list[Tensor] = []
    others = [(name, comparable(own[name], tensors)) for name in sorted(own.keys() - _OTHERWISE)]
    tensors += [buffer for buffer in module._buffers.values() if buffer is not None]
    return (type(module), others, *map(_rows, tensors))


def _rows(tensor: Tensor) -> tuple[Any, ...]:
    rows = tensor.detach().reshape(-1, tensor.shape[-1]) if tensor.dim() else tensor.detach().reshape(1, 1)
    if tensor.dim() > 1:
        rows = rows[[row for row in _TABLE_ROWS if row < len(rows)]]
    return (tensor.dtype, _bytes(rows))


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
