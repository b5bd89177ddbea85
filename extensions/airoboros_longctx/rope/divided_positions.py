"""Rotary modules whose library divides positions in every forward pass to scale linearly (Transformers 4.38 to 4.42).

Frequencies divided in place of positions would differ from it in the last bits. So for linear scaling the positions are
divided by a hook before the forward pass, which whoever wraps ``forward`` (accelerate) keeps calling; the other methods
exchange the frequencies.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from .scaled_frequencies import put_frequencies, take_frequencies
from .scaling_state import ScalingState, scaling_state


def _divide_positions(module: nn.Module, arguments: Any, keywords: Any) -> tuple[Any, Any] | None:
    """A forward pre-hook: ``position_ids`` become float32 and are divided, wherever they stand among the arguments."""
    state = scaling_state(module)
    if state is None or state.rope.divisor == 1:
        return None
    if isinstance(keywords.get("position_ids"), Tensor):
        return arguments, {**keywords, "position_ids": keywords["position_ids"].float() / state.rope.divisor}
    hidden, position_ids, *others = arguments
    return (hidden, position_ids.float() / state.rope.divisor, *others), keywords


def put_divided_positions(module: nn.Module, state: ScalingState) -> None:
    put_frequencies(module, state)
    if _divide_positions not in module._forward_pre_hooks.values():
        module.register_forward_pre_hook(_divide_positions, with_kwargs=True)


def take_divided_positions(module: nn.Module, state: ScalingState) -> None:
    take_frequencies(module, state)
    if state.previous is None:
        for key in [key for key, hook in module._forward_pre_hooks.items() if hook is _divide_positions]:
            del module._forward_pre_hooks[key]
            module._forward_pre_hooks_with_kwargs.pop(key, None)
