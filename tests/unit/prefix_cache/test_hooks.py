"""A hook of somebody else sees to it that nothing is kept: what it does depends on things that nobody can look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils.hooks import RemovableHandle

from extensions.airoboros_longctx.rope.divided_positions import _divide_positions
from tests.unit.prefix_cache.kept_llama import Kept, prompt

TEXT = prompt(60)
WHY = "somebody else's forward hook may change what it computes"


def _steered(value: Any) -> Any:
    return tuple(map(_steered, value[:1])) + value[1:] if isinstance(value, tuple) else value + 3


def _before(module: Any, given: Any) -> Any:
    return _steered(given) if type(module) is torch.nn.Linear else None


def _before_with_kwargs(module: Any, given: Any, named: dict[str, Any]) -> Any:
    return _before(module, given), named


def _after(module: Any, given: Any, output: Any) -> Any:
    return _steered(output) if type(module) is torch.nn.Linear else None


def _after_with_kwargs(module: Any, given: Any, named: dict[str, Any], output: Any) -> Any:
    return _after(module, given, output)


KINDS: dict[str, Callable[[Any], RemovableHandle]] = {
    "pre": lambda linear: linear.register_forward_pre_hook(_before),
    "pre, with kwargs": lambda linear: linear.register_forward_pre_hook(_before_with_kwargs, with_kwargs=True),
    "after": lambda linear: linear.register_forward_hook(_after),
    "after, with kwargs": lambda linear: linear.register_forward_hook(_after_with_kwargs, with_kwargs=True),
    "after, always": lambda linear: linear.register_forward_hook(_after, always_call=True),
    "pre, of every module": lambda linear: register_module_forward_pre_hook(_before),
    "after, of every module": lambda linear: register_module_forward_hook(_after),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_hook_of_somebody_else(kept: Kept, kind: str):
    kept.ask(TEXT)
    hook = KINDS[kind](kept.model.model.layers[0].self_attn.k_proj)
    try:
        assert kept.ask(TEXT) == kept.stock(TEXT)
        assert (kept.generate.why_left_alone, kept.generate.left_alone) == (WHY, {WHY: 1})
        assert kept.said == []
    finally:
        hook.remove()
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.generate.last == (59, 1)  # of before: the model is what it was then


def test_a_hook_that_comes_while_it_answers(kept: Kept):
    hooks: list[RemovableHandle] = []

    def steer(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if not hooks:
            hooks.append(kept.model.model.layers[0].register_forward_hook(_after))
        return scores

    kept.ask(TEXT, logits_processor=[steer])
    assert kept.store.held() == (0, 0)
    assert (kept.generate.why_left_alone, kept.said) == (WHY, [])


def test_the_librarys_own_hooks_only_look_on(kept: Kept):
    """Transformers 5 leaves them in a model that was once asked for its hidden states."""
    pytest.importorskip("transformers.utils.output_capturing")
    kept.model(torch.tensor([TEXT]), output_hidden_states=True)
    assert any(module._forward_hooks for module in kept.model.modules())
    for _ in range(2):
        assert kept.ask(TEXT) == kept.stock(TEXT)
    assert (kept.generate.last, kept.generate.left_alone) == ((59, 1), {})


def test_our_own_hook_that_scales_counts_as_code(kept: Kept):
    kept.ask(TEXT)
    rotary = next(module for module in kept.model.modules() if "Rotary" in type(module).__name__)
    rotary.register_forward_pre_hook(_divide_positions, with_kwargs=True)
    for last in ((0, 60), (59, 1)):
        assert kept.ask(TEXT) == kept.stock(TEXT)
        assert (kept.generate.last, kept.generate.left_alone) == (last, {})
