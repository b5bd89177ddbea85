"""The port: which model is watched, what is said of it, and that everything is as it was afterwards."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from extensions.airoboros_longctx.prefix_cache.engine import PrefixCacheEngine
from tests.unit.prefix_cache.kept_llama import prompt, tiny_llama


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def engine(said: list[str]) -> PrefixCacheEngine:
    return PrefixCacheEngine(lambda: 0.5, lambda ids: "", lambda: False, said.append, lambda: True)


def ask(model: Any, text: list[int]) -> list[int]:
    return model.generate(inputs=torch.tensor([text]), max_new_tokens=3, do_sample=False)[0].tolist()


TEXT = prompt(300)


class Outer:
    """As AutoGPTQ holds its model."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def generate(self, **named: Any) -> Any:
        with torch.inference_mode():
            return self.model.generate(**named)


def test_watched_and_released(engine):
    model = tiny_llama()
    engine.watch(model)
    assert engine.status() == ""
    ask(model, TEXT)
    assert engine.status() == "prefix of 299 tokens kept, 0 MiB"
    engine.invalidate()
    assert engine.status() == ""
    engine.release()
    assert "generate" not in vars(model)
    engine.release()


def test_twice_is_once(engine):
    model = tiny_llama()
    engine.watch(model)
    standing = vars(model)["generate"]
    ask(model, TEXT)
    engine.watch(model)
    assert vars(model)["generate"] is standing
    assert engine.status() == ""  # what was kept is gone: the service looked at the model again
    engine.release()
    assert "generate" not in vars(model)


def test_behind_a_wrapper(engine):
    outer = Outer(tiny_llama())
    engine.watch(outer)
    for _ in range(2):
        assert (
            ask(outer, TEXT)
            == type(outer.model)
            .generate(outer.model, inputs=torch.tensor([TEXT]), max_new_tokens=3, do_sample=False)[0]
            .tolist()
        )
    assert vars(outer.model)["generate"].last == (299, 1)


def test_the_next_model(engine):
    first, second = tiny_llama(), tiny_llama(3)
    engine.watch(first)
    engine.watch(second)
    assert ("generate" in vars(first), "generate" in vars(second)) == (False, True)


def test_wrapped_by_somebody_else(engine):
    """Theirs stays; ours does nothing from then on, and holds nothing."""
    model = tiny_llama()
    engine.watch(model)
    ours = vars(model)["generate"]
    calls = []

    def theirs(*given: Any, **named: Any) -> Any:
        calls.append(1)
        return ours(*given, **named)

    model.generate = theirs
    ask(model, TEXT)
    engine.release()
    assert vars(model)["generate"] is theirs
    ask(model, TEXT)
    assert calls == [1, 1]
    assert ours.last == (0, 300)
    assert ours.store.held() == (0, 0)


def test_over_somebody_elses(engine):
    model = tiny_llama()
    library = type(model).generate
    calls = []

    def theirs(*given: Any, **named: Any) -> Any:
        calls.append(sorted(named))
        return library(model, *given, **named)

    model.generate = theirs
    engine.watch(model)
    ask(model, TEXT)
    assert calls == [["do_sample", "inputs", "max_new_tokens", "past_key_values"]]
    engine.release()
    assert vars(model)["generate"] is theirs


def test_models_with_code_of_their_own(engine):
    model = tiny_llama()
    model.__class__ = type("ExllamaHF", (type(model),), {"__module__": "modules.exllama_hf"})
    engine.watch(model)
    assert "generate" not in vars(model)
    assert engine.status() == "prompts are not kept: its own code decides what it keeps of a prompt"


def test_other_architectures(engine):
    model = tiny_llama()
    model.config.__class__ = type("OtherConfig", (type(model.config),), {"model_type": "mamba"})
    engine.watch(model)
    assert engine.status() == "prompts are not kept: this was not tried with its architecture"


@pytest.mark.parametrize("other", [object(), None, "a model"])
def test_what_is_no_model_of_the_library(engine, other):
    engine.watch(other)
    assert engine.status() == ""


def test_why_the_last_prompt_was_left_alone(engine):
    model = tiny_llama()
    engine.watch(model)
    ask(model, TEXT)
    for _ in range(2):
        model.generate(inputs=torch.tensor([TEXT]), max_new_tokens=2, do_sample=False, num_beams=2)
    kept = "prefix of 299 tokens kept, 0 MiB"
    assert engine.status() == f"{kept} · the last prompt was not kept (2 times): num_beams is set"
    ask(model, TEXT)
    assert engine.status() == kept


def test_while_it_reads(engine):
    model = tiny_llama()
    engine.watch(model)
    vars(model)["generate"].reading = (2048, 7400)
    assert engine.status() == "reading the prompt: 2,048 of 7,400 tokens"
