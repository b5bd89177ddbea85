"""Whatever changes what the model computes, what was kept before serves nobody any more."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling
from tests.unit.prefix_cache.kept_llama import Kept, prompt

TEXT = prompt(60)


def assert_read_anew(kept: Kept) -> None:
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.generate.last == (0, 60)


@pytest.fixture
def asked(kept: Kept) -> Kept:
    kept.ask(TEXT)
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.generate.last == (59, 1)
    return kept


def rotary_modules(model: Any) -> list[Any]:
    return [one for one in model.modules() if "Rotary" in type(one).__name__]


def test_weights_changed_in_place(asked):
    with torch.no_grad():
        asked.model.model.layers[1].self_attn.k_proj.weight[0, 0] += 1
    assert_read_anew(asked)


def test_weights_changed_through_data(asked):
    """As merging a LoRA does: PyTorch itself does not see it."""
    weight = asked.model.model.layers[1].self_attn.k_proj.weight
    version = weight._version
    weight.data += 0.3
    assert weight._version == version
    assert_read_anew(asked)


def test_weights_exchanged(asked):
    layer = asked.model.model.layers[0].mlp.down_proj
    layer.weight = torch.nn.Parameter(layer.weight.detach() * 2)
    assert_read_anew(asked)


def test_scaled_and_back(asked):
    scaling = RopeScaling("linear", 4.0, 512)
    patch = apply_rope_scaling(asked.model, scaling)
    assert_read_anew(asked)
    asked.ask(TEXT)
    patch.revert()
    assert_read_anew(asked)


def test_a_rotary_forward_of_somebody_else(asked):
    for module in rotary_modules(asked.model):
        library = module.forward

        def forward(*given: Any, library: Any = library, **named: Any) -> Any:
            cos, sin = library(*given, **named)
            return cos, -sin

        module.forward = forward
    assert_read_anew(asked)


def test_a_rotary_class_of_somebody_else(asked, monkeypatch):
    rotary = type(rotary_modules(asked.model)[0])
    library = rotary.forward

    def forward(*given: Any, **named: Any) -> Any:
        cos, sin = library(*given, **named)
        return cos, -sin

    monkeypatch.setattr(rotary, "forward", forward)
    assert_read_anew(asked)


@pytest.mark.parametrize("on_the_class", [True, False])
def test_the_code_of_any_module(asked, monkeypatch, on_the_class):
    """As extensions do that exchange attention or layers of a loaded model."""
    layer = asked.model.model.layers[0].mlp
    library = type(layer).forward

    def forward(self: Any, hidden: torch.Tensor) -> torch.Tensor:
        return 2 * library(self, hidden)

    if on_the_class:
        monkeypatch.setattr(type(layer), "forward", forward)
    else:
        layer.forward = lambda hidden: forward(layer, hidden)
    assert_read_anew(asked)


def test_frequencies_changed_through_data(asked):
    for module in rotary_modules(asked.model):
        for name in ("inv_freq", "cos_cached", "sin_cached"):
            if hasattr(module, name):
                getattr(module, name).data *= 0.5
    assert_read_anew(asked)


def test_changed_while_it_answers(asked):
    """What is read with one model and answered with another is kept for neither."""

    def edit(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        asked.model.model.layers[1].self_attn.k_proj.weight.data += 0.3
        return scores

    asked.ask(TEXT, logits_processor=[edit])
    assert asked.store.held() == (0, 0)


def test_dropped_while_it_answers(asked):
    def change(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        asked.store.clear()
        return scores

    asked.ask(TEXT, logits_processor=[change])
    assert asked.store.held() == (0, 0)
    assert_read_anew(asked)


def test_trained_in_between(asked):
    asked.model.train()
    asked.ask(TEXT)
    asked.model.eval()
    assert asked.ask(TEXT) == asked.stock(TEXT)


class TestLoras:
    peft = pytest.importorskip("peft")

    @pytest.fixture
    def with_loras(self, asked: Kept) -> tuple[Kept, Any]:
        def lora(seed: int) -> Any:
            torch.manual_seed(seed)
            return self.peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)

        outer = self.peft.PeftModel(asked.model, lora(1), adapter_name="one")
        outer.add_adapter("two", lora(2))
        outer.eval()
        return asked, outer

    def test_applied(self, with_loras):
        assert_read_anew(with_loras[0])

    def test_another_one(self, with_loras):
        kept, outer = with_loras
        kept.ask(TEXT)
        outer.set_adapter("two")
        assert_read_anew(kept)

    def test_switched_off(self, with_loras):
        kept, outer = with_loras
        kept.ask(TEXT)
        with outer.disable_adapter():
            assert_read_anew(kept)
        assert_read_anew(kept)

    def test_through_peft(self, with_loras):
        """The webui calls the outer model."""
        kept, outer = with_loras
        ids = torch.tensor([TEXT])
        for _ in range(2):
            answer = outer.generate(inputs=ids, max_new_tokens=6, do_sample=False)[0].tolist()[60:]
            assert answer == kept.stock(TEXT)
        assert kept.generate.last == (59, 1)
