"""Patched class, scaled live model and scaling stated in the config: the same bits, within and past the base window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.class_patch import replace_llama_rope_with_scaled_rope
from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling
from tests.unit.rope.tiny_llama import (
    BASE_WINDOW,
    DTYPES,
    FACTORS,
    KEEPS_TABLES,
    greedy,
    load,
    logits,
    reference_rows,
    rotary_modules,
    rotary_rows,
)


def linear(factor: float) -> RopeScaling:
    return RopeScaling("linear", factor, BASE_WINDOW)


def load_patched(folder: Path, factor: float, dtype: torch.dtype = torch.float32):
    patch = replace_llama_rope_with_scaled_rope(factor, round(BASE_WINDOW * factor))
    try:
        model = load(folder, dtype=dtype)
    finally:
        patch.revert()
    assert patch.modules_built >= len(rotary_modules(model))  # 4.43 to 4.47 build some that are never used
    return model


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("factor", FACTORS)
def test_logits_are_bit_identical(any_checkpoint: Path, factor: float, dtype: torch.dtype) -> None:
    native = logits(load(any_checkpoint, factor, dtype), round(BASE_WINDOW * factor) + 40)  # the tables must grow
    plain = load(any_checkpoint, dtype=dtype)
    before = logits(plain, round(BASE_WINDOW * factor) + 40)
    assert not torch.equal(before, native)
    assert torch.equal(logits(load_patched(any_checkpoint, factor, dtype), round(BASE_WINDOW * factor) + 40), native)
    patch = apply_rope_scaling(plain, linear(factor))
    assert torch.equal(logits(plain, round(BASE_WINDOW * factor) + 40), native)
    patch.revert()
    assert torch.equal(logits(plain, round(BASE_WINDOW * factor) + 40), before)


@pytest.mark.parametrize("factor", [4, 3])
def test_greedy_generation_past_the_base_window_is_the_same_token_by_token(checkpoint: Path, factor: float) -> None:
    window = round(BASE_WINDOW * factor)
    native = greedy(load(checkpoint, factor), BASE_WINDOW - 10, window)  # past the base and past the scaled window
    assert len(set(native)) > 10
    live = load(checkpoint)
    unscaled = greedy(live, BASE_WINDOW - 10, window)
    apply_rope_scaling(live, linear(factor))
    assert greedy(live, BASE_WINDOW - 10, window) == native
    assert greedy(load_patched(checkpoint, factor), BASE_WINDOW - 10, window) == native
    assert unscaled != native


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("way", ["class", "live"])
def test_angles_agree_with_the_reference_far_past_the_window(checkpoint: Path, factor: float, way: str) -> None:
    model = load_patched(checkpoint, factor) if way == "class" else load(checkpoint)
    if way == "live":
        apply_rope_scaling(model, linear(factor))
    for module in rotary_modules(model):
        for length in (10, round(BASE_WINDOW * factor), 2000, 50, 5000):  # growing, and shorter again
            for ours, reference in zip(rotary_rows(module, length), reference_rows(length, 16, factor), strict=True):
                np.testing.assert_allclose(ours, reference, atol=3e-7 * length)


@pytest.mark.parametrize("cast", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("way", ["class", "live", "live after the cast"])
def test_a_model_cast_after_loading_keeps_its_frequencies_in_float32(
    checkpoint: Path, way: str, cast: torch.dtype
) -> None:
    model = load_patched(checkpoint, 4) if way == "class" else load(checkpoint)
    if way == "live":
        apply_rope_scaling(model, linear(4))
    model.to(cast)
    if way == "live after the cast":
        apply_rope_scaling(model, linear(4))
    for module in rotary_modules(model):
        for ours, reference in zip(rotary_rows(module, 3000, cast), reference_rows(3000, 16, 4), strict=True):
            np.testing.assert_allclose(ours, reference, atol=2 * torch.finfo(cast).eps)


def test_generate_itself_runs(checkpoint: Path) -> None:
    model = load_patched(checkpoint, 4)
    prompt = torch.arange(1, 60)[None]
    native = load(checkpoint, 4)
    arguments = {"max_new_tokens": 20, "do_sample": False, "attention_mask": torch.ones_like(prompt)}
    assert torch.equal(model.generate(prompt, **arguments), native.generate(prompt, **arguments))


@pytest.mark.skipif(not KEEPS_TABLES, reason="this Transformers keeps no tables")
@pytest.mark.parametrize("way", ["class", "live"])
def test_all_layers_share_one_table(checkpoint: Path, way: str) -> None:
    model = load_patched(checkpoint, 4) if way == "class" else load(checkpoint)
    if way == "live":
        apply_rope_scaling(model, linear(4))
    for length, dtype in ((30, torch.float32), (BASE_WINDOW * 4 + 1, torch.float16)):
        model.to(dtype)
        logits(model, length)
        modules = rotary_modules(model)
        assert {module.cos_cached.data_ptr() for module in modules} == {modules[0].cos_cached.data_ptr()}
        assert {module.sin_cached.data_ptr() for module in modules} == {modules[0].sin_cached.data_ptr()}
        assert modules[0].cos_cached.dtype == dtype
    if way == "class":
        assert sum(module._buffers["_unscaled_cos_cached"].numel() for module in modules) == 16 * len(modules)


@pytest.mark.skipif(KEEPS_TABLES, reason="this Transformers keeps tables")
def test_without_tables_only_the_frequencies_are_kept(checkpoint: Path) -> None:
    model = load_patched(checkpoint, 4)
    logits(model, 3 * BASE_WINDOW)
    for module in rotary_modules(model):  # 4.38 keeps tables as well, which nothing reads
        assert {buffer.numel() for name, buffer in module._buffers.items() if "inv_freq" in name} == {8}
