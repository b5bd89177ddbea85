"""The laws of replacing the class: it comes back, never stacks, and what others put over it stays theirs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
import torch
from transformers.models.llama import modeling_llama

from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.class_patch import replace_llama_rope_with_scaled_rope, restore_llama_rope
from extensions.airoboros_longctx.rope.read_back import read_rope_scaling
from tests.unit.rope.tiny_llama import BASE_WINDOW, DTYPES, load, logits

LONG = 5 * BASE_WINDOW


def test_after_the_undo_every_load_is_as_without_us(checkpoint: Path) -> None:
    def load_all():
        return [logits(load(checkpoint, factor, dtype), LONG) for factor in (None, 4) for dtype in DTYPES]

    before, original = load_all(), modeling_llama.LlamaRotaryEmbedding
    patch = replace_llama_rope_with_scaled_rope()
    load(checkpoint)
    patch.revert()
    patch.revert()
    assert modeling_llama.LlamaRotaryEmbedding is original
    assert all(torch.equal(now, then) for now, then in zip(load_all(), before, strict=True))


def test_without_arguments_it_is_the_model_cards_function() -> None:
    patch = replace_llama_rope_with_scaled_rope()
    assert (patch.scaling, patch.max_position_embeddings) == (RopeScaling("linear", 4, 2048), 8192)
    assert patch.modules_built == 0
    patch.revert()


def test_applying_twice_is_applying_once(checkpoint: Path) -> None:
    original = modeling_llama.LlamaRotaryEmbedding
    patch = replace_llama_rope_with_scaled_rope(4, 256)
    replacement = modeling_llama.LlamaRotaryEmbedding
    assert replace_llama_rope_with_scaled_rope(4.0, 256) is patch
    assert modeling_llama.LlamaRotaryEmbedding is replacement
    assert torch.equal(logits(load(checkpoint), LONG), logits(load(checkpoint, 4), LONG))
    other = replace_llama_rope_with_scaled_rope(2, 128)
    assert other is not patch
    assert modeling_llama.LlamaRotaryEmbedding.__mro__[1:].count(replacement) == 0
    assert torch.equal(logits(load(checkpoint), LONG), logits(load(checkpoint, 2), LONG))
    patch.revert()  # replaced already: nothing to do
    assert torch.equal(logits(load(checkpoint), LONG), logits(load(checkpoint, 2), LONG))
    assert restore_llama_rope() is True
    assert restore_llama_rope() is False
    assert modeling_llama.LlamaRotaryEmbedding is original


def test_a_model_loaded_under_the_patch_stays_scaled(checkpoint: Path) -> None:
    patch = replace_llama_rope_with_scaled_rope(3, 192)
    model = load(checkpoint)
    patch.revert()
    other = replace_llama_rope_with_scaled_rope(2, 128)
    assert torch.equal(logits(model, LONG), logits(load(checkpoint, 3), LONG))
    other.revert()
    assert torch.equal(logits(model, 2 * LONG), logits(load(checkpoint, 3), 2 * LONG))


def test_a_natively_scaled_model_is_left_to_the_library(checkpoint: Path) -> None:
    native, dynamic = (logits(load(checkpoint, 2.0, rope_type=kind), LONG) for kind in ("linear", "dynamic"))
    patch = replace_llama_rope_with_scaled_rope(4, 256)
    model = load(checkpoint, 2)
    assert read_rope_scaling(model).factor == 2
    assert torch.equal(logits(model, LONG), native)
    assert torch.equal(logits(load(checkpoint, 2.0, rope_type="dynamic"), LONG), dynamic)
    assert patch.modules_built == 0
    patch.revert()


def test_a_later_patch_of_somebody_else_is_kept(checkpoint: Path) -> None:
    original = modeling_llama.LlamaRotaryEmbedding
    plain = logits(load(checkpoint), LONG)
    patch = replace_llama_rope_with_scaled_rope(4, 256)
    ours = modeling_llama.LlamaRotaryEmbedding
    theirs = modeling_llama.LlamaRotaryEmbedding = type("TheirRotaryEmbedding", (ours,), {})
    assert torch.equal(logits(load(checkpoint), LONG), logits(load(checkpoint, 4), LONG))
    patch.revert()
    assert modeling_llama.LlamaRotaryEmbedding is theirs
    assert torch.equal(logits(load(checkpoint), LONG), plain)  # ours passes through underneath
    again = replace_llama_rope_with_scaled_rope(2, 128)  # over theirs, once
    assert torch.equal(logits(load(checkpoint), LONG), logits(load(checkpoint, 2), LONG))
    again.revert()
    assert modeling_llama.LlamaRotaryEmbedding is theirs
    modeling_llama.LlamaRotaryEmbedding = ours  # they put back what they had found
    assert torch.equal(logits(load(checkpoint), LONG), plain)
    modeling_llama.LlamaRotaryEmbedding = original


def test_the_old_copy_of_a_package_imported_twice_is_found(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "extensions.airoboros_longctx.rope.class_patch"
    patch = replace_llama_rope_with_scaled_rope(4, 256)
    monkeypatch.delitem(sys.modules, name)
    twice = importlib.import_module(name)
    assert twice.replace_llama_rope_with_scaled_rope is not replace_llama_rope_with_scaled_rope
    assert twice.replace_llama_rope_with_scaled_rope(4, 256) is patch
    other = twice.replace_llama_rope_with_scaled_rope(2, 128)
    assert read_rope_scaling(load(checkpoint)).factor == 2
    other.revert()
    assert not patch.active


def test_something_that_is_no_class_of_theirs_is_refused_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def factory(*arguments, **keywords):
        return None

    monkeypatch.setattr(modeling_llama, "LlamaRotaryEmbedding", factory)
    with pytest.raises(RopeScalingError, match=r"LlamaRotaryEmbedding is <function .*factory.*, and a class of one of"):
        replace_llama_rope_with_scaled_rope()
    assert modeling_llama.LlamaRotaryEmbedding is factory


@pytest.mark.parametrize(
    ("factor", "window"), [(0.5, 8192), (float("nan"), 8192), (float("inf"), 1), ("4", 8192), (4, 0)]
)
def test_values_that_make_no_sense_are_refused(factor: object, window: int) -> None:
    with pytest.raises(RopeScalingError, match=r"found; a (finite number|number of tokens)"):
        replace_llama_rope_with_scaled_rope(factor, window)  # type: ignore[arg-type]
