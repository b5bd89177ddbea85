"""Numbers, words, tensors and objects that stand in a model as plain attributes decide what it computes, too."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from extensions.airoboros_longctx.prefix_cache.attributes import Same, comparable
from extensions.airoboros_longctx.prefix_cache.model_state import model_state
from tests.unit.prefix_cache.kept_llama import Kept, prompt, tiny_llama

TEXT = prompt(60)


def assert_read_anew_once(kept: Kept) -> None:
    for last in ((0, 60), (59, 1)):
        assert kept.ask(TEXT) == kept.stock(TEXT)
        assert kept.generate.last == last


def test_the_scale_of_attention(kept):
    attention = kept.model.model.layers[1].self_attn
    if not hasattr(attention, "scaling"):
        pytest.skip("this library computes it from the size of the heads")
    kept.ask(TEXT)
    attention.scaling *= 2
    assert_read_anew_once(kept)


def test_the_epsilon_of_a_norm(kept):
    kept.ask(TEXT)
    kept.model.model.layers[1].input_layernorm.variance_epsilon = 1.0
    assert_read_anew_once(kept)


def test_which_attention_the_configuration_says(kept):
    if getattr(kept.model.config, "_attn_implementation", None) != "sdpa":
        pytest.skip("this library has one for each class")
    kept.ask(TEXT)
    kept.model.config._attn_implementation = "eager"
    assert_read_anew_once(kept)


def test_a_configuration_that_is_a_dictionary(kept):
    """As some layers of quantised models have it."""
    layer = kept.model.model.layers[0].mlp.down_proj
    layer.config = {"bits": 4}
    kept.ask(TEXT)
    layer.config["bits"] = 8
    assert_read_anew_once(kept)


def test_the_call_of_a_class(kept, monkeypatch):
    kept.ask(TEXT)
    norm = type(kept.model.model.norm)
    library = norm.__call__
    monkeypatch.setattr(norm, "__call__", lambda self, hidden: 2 * library(self, hidden))
    assert_read_anew_once(kept)


class Control(torch.nn.Module):
    """Stands in place of a layer and adds ``control`` to what that gives, as control vectors are applied."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.layer, self.control = layer, None

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("layer"), name)

    def vector(self) -> Any:
        if isinstance(self.control, dict):
            return self.control["vectors"][0]
        return getattr(self.control, "vector", self.control)

    def forward(self, *given: Any, **named: Any) -> Any:
        output, vector = self.layer(*given, **named), self.vector()
        if vector is None:
            return output
        return (output[0] + vector, *output[1:]) if isinstance(output, tuple) else output + vector


class Parameters:
    def __init__(self, vector: torch.Tensor) -> None:
        self.vector = vector


@pytest.fixture
def controlled(kept: Kept) -> tuple[Kept, Control]:
    control = Control(kept.model.model.layers[0]).eval()
    kept.model.model.layers[0] = control
    kept.ask(TEXT)
    assert kept.generate.last == (0, 60)
    return kept, control


@pytest.mark.parametrize(
    "held",
    [lambda vector: vector, lambda vector: {"vectors": [vector]}, Parameters],
    ids=["itself", "in a list", "in an object"],
)
def test_a_control_vector(controlled, held: Callable[[torch.Tensor], Any]):
    kept, control = controlled
    for strength in (1.0, 3.0):
        control.control = held(torch.full((64,), strength))
        assert_read_anew_once(kept)
    control.control = None
    assert_read_anew_once(kept)


@pytest.mark.parametrize("held", [lambda vector: vector, lambda vector: {"vectors": [vector]}])
def test_a_control_vector_changed_in_place(controlled, held: Callable[[torch.Tensor], Any]):
    kept, control = controlled
    vector = torch.ones(64)
    control.control = held(vector)
    assert_read_anew_once(kept)
    vector.data *= 3
    assert_read_anew_once(kept)


def test_a_layer_that_is_finished_by_its_first_pass(kept):
    """As those of quantised models: the very first prompt is kept all the same."""
    layer = kept.model.model.layers[0].mlp.down_proj
    library = type(layer).forward

    def forward(hidden: torch.Tensor) -> torch.Tensor:
        layer.is_set_up = True
        return library(layer, hidden)

    layer.is_set_up, layer.forward = False, forward
    kept.ask(TEXT)
    assert kept.store.held()[0] == 59


def test_what_says_how_to_generate_changes_nothing_kept(kept):
    kept.ask(TEXT)
    kept.model.generation_config = type(kept.model.generation_config)()
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.generate.last == (59, 1)


def test_objects_are_told_apart_without_being_kept_alive():
    one, other = Parameters(torch.ones(1)), Parameters(torch.ones(1))
    same = Same(one)
    assert same == Same(one)
    assert same != Same(other)
    del one
    gc.collect()
    assert same != Same(None)
    assert same != same


def test_what_contains_itself_ends():
    endless: list[Any] = [1]
    endless.append(endless)
    assert comparable(endless, []) == comparable(endless, [])


class _NoFloat64(TorchDispatchMode):
    """As on GPUs of Apple, which refuse every conversion to float64."""

    def __torch_dispatch__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
        result = function(*given, **(named or {}))
        if isinstance(result, torch.Tensor) and result.dtype is torch.float64:
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."
            )
        return result


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_device_without_float64(dtype):
    model = tiny_llama(dtype=dtype)
    with _NoFloat64():
        assert model_state(model) == model_state(model)
