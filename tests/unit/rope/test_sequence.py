"""Fifty random steps in one process: after each, every model that is alive answers as in a process of its own."""

from __future__ import annotations

import collections
import os
import random
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.models.llama import modeling_llama

from extensions.airoboros_longctx.rope.class_patch import patch_llama_rope
from extensions.airoboros_longctx.rope.live_patch import LivePatch, apply_rope_scaling
from extensions.airoboros_longctx.rope.read_back import read_rope_scaling
from tests.unit.rope.fresh_process import FreshProcess, Running, digest, with_adapter
from tests.unit.rope.tiny_llama import load

STEPS, SEED = 50, 4
LINEAR = [("linear", factor) for factor in (2, 4, 8, 1.7)]
SCALINGS = [Running(*scaling) for scaling in [*LINEAR, ("ntk", 8), ("ntk", 1.7), ("ntk_by_parts", 4)]]
NATIVE = [Running(*scaling) for scaling in [*LINEAR, ("dynamic", 2)]]


class Alive:
    """A loaded model, what it should run, and the live patches on it with what ran before each."""

    def __init__(self, model: Any, running: Running) -> None:
        self.model, self.running = model, running
        self.undo: list[tuple[LivePatch, Running]] = []


class Sequence:
    """The steps, each a method; the last two models stay alive and are looked at after every step."""

    def __init__(self, checkpoint: Path, adapter: Path, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.checkpoint, self.adapter, self.chance, self.monkeypatch = checkpoint, adapter, chance, monkeypatch
        self.alive: list[Alive] = [Alive(load(checkpoint), Running())]

    @property
    def last(self) -> Alive:
        return self.alive[-1]

    def _now(self, model: Any, running: Running) -> None:
        self.alive = [self.last, Alive(model, running)]

    def load_by_class(self) -> None:
        running = self.chance.choice(SCALINGS)
        patch = patch_llama_rope(running.scaling)
        model = load(self.checkpoint)
        patch.revert()
        self._now(model, running)

    def load_unscaled(self) -> None:
        self._now(load(self.checkpoint), Running())

    def load_native(self) -> None:
        running = self.chance.choice(NATIVE)
        self._now(load(self.checkpoint, running.factor, rope_type=running.rope_type), running)

    def load_native_under_a_patch(self) -> None:
        patch = patch_llama_rope(self.chance.choice(SCALINGS).scaling)
        self.load_native()
        patch.revert()

    def load_fails_in_the_middle(self) -> None:
        """The second layer's constructor raises while the class is patched."""
        built: list[int] = []
        construct = modeling_llama.LlamaMLP.__init__

        def failing(module: Any, *arguments: Any, **keywords: Any) -> None:
            built.append(1)
            if len(built) == 2:
                raise MemoryError("no room for the second layer")
            construct(module, *arguments, **keywords)

        patch = patch_llama_rope(self.chance.choice(SCALINGS).scaling)
        with self.monkeypatch.context() as context:
            context.setattr(modeling_llama.LlamaMLP, "__init__", failing)
            with pytest.raises(MemoryError, match="no room for the second layer"):
                load(self.checkpoint)
        patch.revert()

    def scale_live(self) -> None:
        """The last model, where the library does not scale it; over an own scaling as well, which is replaced."""
        running = self.chance.choice(SCALINGS)._replace(lora=self.last.running.lora)
        if self.last.undo or self.last.running.rope_type == "default":
            self.last.undo.append((apply_rope_scaling(self.last.model, running.scaling), self.last.running))
            self.last.running = running
        else:
            self.load_unscaled()
            self.scale_live()

    def undo_live(self) -> None:
        if not self.last.undo:
            self.scale_live()
        patch, before = self.last.undo.pop()
        patch.revert()
        self.last.running = before._replace(lora=self.last.running.lora)

    def switch_lora(self) -> None:
        on = self.last.running.lora
        self.last.model = self.last.model.unload() if on else with_adapter(self.last.model, self.adapter)
        self.last.running = self.last.running._replace(lora=not on)


@pytest.fixture(scope="module")
def adapter(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small LoRA whose weights are not zero; an empty folder where peft is not installed."""
    folder = tmp_path_factory.mktemp("adapter")
    if find_spec("peft") is not None:
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(3)
        config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
        get_peft_model(load(checkpoint), config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def fresh(checkpoint: Path, adapter: Path) -> Iterator[FreshProcess]:
    with FreshProcess(checkpoint, adapter) as process:
        yield process


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the fresh processes are forked, which this system cannot")
@pytest.mark.parametrize("with_lora", [False, True], ids=["without LoRA", "with LoRA"])
def test_fifty_random_steps(
    checkpoint: Path, adapter: Path, fresh: FreshProcess, with_lora: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if with_lora:
        pytest.importorskip("peft", reason="peft is not installed: no LoRA was switched on or off")
    chance = random.Random(SEED)
    sequence = Sequence(checkpoint, adapter, chance, monkeypatch)
    steps = [getattr(sequence, name) for name in vars(Sequence) if not name.startswith("_") and name != "last"]
    steps = [step for step in steps if with_lora or step != sequence.switch_lora]
    library_class, taken = modeling_llama.LlamaRotaryEmbedding, collections.Counter[str]()
    history = []
    for _ in range(STEPS):
        step = chance.choice(steps)
        step()
        taken[step.__name__] += 1
        history.append(f"{step.__name__}: {_in_words(sequence)}")
        assert modeling_llama.LlamaRotaryEmbedding is library_class, history
        for alive in sequence.alive:
            assert digest(alive.model) == fresh.digest(alive.running), history
            if alive.running.rope_type != "dynamic":
                assert read_rope_scaling(alive.model, alive.running.scaling).agrees_with(alive.running.scaling), history
    assert set(taken) == {step.__name__ for step in steps}


def _in_words(sequence: Sequence) -> str:
    return " and ".join(f"{model.running.scaling}{' with LoRA' * model.running.lora}" for model in sequence.alive)


def test_the_fresh_answers_differ(fresh: FreshProcess) -> None:
    runnings = [Running(), *SCALINGS, Running("dynamic", 2)]
    digests = {fresh.digest(running) for running in runnings}
    assert len(digests) == len(runnings)
    assert not {"", "no answer"} & digests
