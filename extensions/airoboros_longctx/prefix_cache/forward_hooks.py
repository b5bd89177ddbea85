"""The hooks that PyTorch calls before and after a module's forward pass."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.modules import module as every_module

from .prefill import FirstPass

_OURS = __name__.rsplit(".", 2)[0] + "."
#: They look on: newer libraries' own, which collect hidden states for whoever asks, and our count of passes.
_LOOK_ON = ("transformers.utils.output_capturing", FirstPass.__module__)
#: Those for all modules at once.
_FOR_EVERY_MODULE = ("_global_forward_pre_hooks", "_global_forward_hooks")


def own_hooks(module: nn.Module) -> list[Any] | None:
    """The hooks of this extension that change what ``module`` computes; None where it has hooks of somebody else."""
    return _own([*module._forward_pre_hooks.values(), *module._forward_hooks.values()])


def own_global_hooks() -> list[Any] | None:
    """As ``own_hooks``, of the hooks that PyTorch calls for every module there is."""
    return _own([hook for name in _FOR_EVERY_MODULE for hook in getattr(every_module, name, {}).values()])


def _own(hooks: list[Any]) -> list[Any] | None:
    effective = [hook for hook in hooks if _home(hook) not in _LOOK_ON]
    return effective if all(_home(hook).startswith(_OURS) for hook in effective) else None


def _home(hook: Any) -> str:
    return str(getattr(hook, "__module__", ""))
