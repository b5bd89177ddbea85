"""NTK and NTK by parts in models: applied by the class and in place, undone, and never on top of anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.class_patch import patch_llama_rope
from extensions.airoboros_longctx.rope.frequencies import inverse_frequencies
from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling
from extensions.airoboros_longctx.rope.read_back import read_rope_scaling
from tests.unit.rope import ntk_reference
from tests.unit.rope.scaled_models import BY_PARTS_4, METHODS, NTK_8, each_method, each_way, plant, scaled
from tests.unit.rope.tiny_llama import (
    BASE_WINDOW,
    DTYPES,
    HAS_ROPE_PARAMETERS,
    base_in_config_only,
    load,
    logits,
    rotary_modules,
    rotary_rows,
    state_of,
)

LONG = 5 * BASE_WINDOW


@each_way
@each_method
def test_angles_agree_with_the_reference_far_past_the_window(checkpoint: Path, scaling: RopeScaling, way: str) -> None:
    model = scaled(checkpoint, scaling, way)
    for module in rotary_modules(model):
        for length in (10, scaling.max_position_embeddings, 2000, 50, 5000):  # growing, and shorter again
            reference = ntk_reference.rows(scaling, length, 16)
            for ours, theirs in zip(rotary_rows(module, length), reference, strict=True):
                np.testing.assert_allclose(ours, theirs, atol=4e-7 * length)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@each_method
def test_class_and_live_are_the_same_bits_and_the_undo_is_exact(
    any_checkpoint: Path, scaling: RopeScaling, dtype: torch.dtype
) -> None:
    model = load(any_checkpoint, dtype=dtype)
    state, before = state_of(model), logits(model, BASE_WINDOW)
    patch = apply_rope_scaling(model, scaling)
    live = logits(model, LONG)
    assert not torch.equal(live[:, :BASE_WINDOW], before)
    assert torch.equal(logits(scaled(any_checkpoint, scaling, "class", dtype), LONG), live)
    patch.revert()
    assert state_of(model) == state
    assert torch.equal(logits(model, BASE_WINDOW), before)
    patch.revert()
    assert state_of(model) == state


@base_in_config_only
@each_way
def test_ntk_is_bit_for_bit_a_model_whose_config_states_that_base(checkpoint: Path, way: str) -> None:
    base = 10000.0 * 8 ** (16 / 14)
    parameters = {"rope_type": "default", "rope_theta": base}
    native = load(checkpoint, **({"rope_parameters": parameters} if HAS_ROPE_PARAMETERS else {"rope_theta": base}))
    assert torch.equal(logits(scaled(checkpoint, NTK_8, way), LONG), logits(native, LONG))


@each_way
@pytest.mark.parametrize("cast", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("scaling", [NTK_8, BY_PARTS_4], ids=str)
def test_a_model_cast_after_scaling_keeps_its_frequencies_in_float32(
    checkpoint: Path, scaling: RopeScaling, cast: torch.dtype, way: str
) -> None:
    model = scaled(checkpoint, scaling, way).to(cast)
    for module in rotary_modules(model):
        for ours, theirs in zip(rotary_rows(module, 3000, cast), ntk_reference.rows(scaling, 3000, 16), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2 * torch.finfo(cast).eps)


def test_methods_over_methods_are_replaced_never_combined_and_undone_in_reverse(checkpoint: Path) -> None:
    order = (
        NTK_8,
        RopeScaling("linear", 3, BASE_WINDOW),
        BY_PARTS_4,
        RopeScaling(),
        RopeScaling("ntk", 2, BASE_WINDOW),
    )
    model = load(checkpoint)
    seen, patches = [logits(model, LONG)], []
    for scaling in order:
        patches.append(apply_rope_scaling(model, scaling))
        alone = load(checkpoint) if scaling.factor == 1 else scaled(checkpoint, scaling, "class")
        assert torch.equal(logits(model, LONG), logits(alone, LONG))
        assert read_rope_scaling(model).agrees_with(scaling)
        seen.append(logits(model, LONG))
    for patch in reversed(patches):
        assert torch.equal(logits(model, LONG), seen.pop())
        patch.revert()
    assert torch.equal(logits(model, LONG), seen.pop())
    plain = load(checkpoint)
    logits(plain, LONG)
    assert state_of(model) == state_of(plain)


def test_one_method_can_go_from_under_another(checkpoint: Path) -> None:
    model = load(checkpoint)
    state = state_of(model)
    first, second, third = (apply_rope_scaling(model, scaling) for scaling in (BY_PARTS_4, NTK_8, METHODS[3]))
    second.revert()
    assert read_rope_scaling(model).agrees_with(METHODS[3])
    third.revert()
    assert torch.equal(logits(model, LONG), logits(scaled(checkpoint, BY_PARTS_4, "live"), LONG))
    first.revert()
    assert state_of(model)["0.class"] == state["0.class"]
    assert torch.equal(logits(model, LONG), logits(load(checkpoint), LONG))


@each_method
def test_applying_what_already_runs_changes_nothing_and_says_so(checkpoint: Path, scaling: RopeScaling) -> None:
    model = scaled(checkpoint, scaling, "live")
    state = state_of(model)
    again = apply_rope_scaling(model, scaling)
    assert (again.changed, again.message) == (False, f"the model already runs {scaling}: nothing to do")
    assert state_of(model) == state
    assert not apply_rope_scaling(scaled(checkpoint, scaling, "class"), scaling).changed


@pytest.mark.parametrize("scaling", [NTK_8, BY_PARTS_4, RopeScaling("linear", 8, BASE_WINDOW)], ids=str)
def test_a_model_scaled_by_others_is_refused_and_left_alone(checkpoint: Path, scaling: RopeScaling) -> None:
    foreign_ntk = load(checkpoint)
    for module in rotary_modules(foreign_ntk):
        plant(module, inverse_frequencies(16, 10000.0 * 4 ** (16 / 14)))
    for model in (load(checkpoint, 2), load(checkpoint, 2.0, rope_type="dynamic"), foreign_ntk):
        state = state_of(model)
        with pytest.raises(RopeScalingError, match="two scalings must not be stacked"):
            apply_rope_scaling(model, scaling)
        assert state_of(model) == state


@each_method
def test_natively_scaled_models_are_left_to_the_library(checkpoint: Path, scaling: RopeScaling) -> None:
    native, dynamic = (logits(load(checkpoint, 2.0, rope_type=kind), LONG) for kind in ("linear", "dynamic"))
    patch = patch_llama_rope(scaling)
    assert torch.equal(logits(load(checkpoint, 2), LONG), native)
    assert torch.equal(logits(load(checkpoint, 2.0, rope_type="dynamic"), LONG), dynamic)
    assert patch.modules_built == 0
    patch.revert()


def test_patches_that_differ_in_anything_are_different_patches(checkpoint: Path) -> None:
    scalings = (
        NTK_8,
        RopeScaling("ntk_by_parts", 8, BASE_WINDOW),
        RopeScaling("ntk_by_parts", 8, 2 * BASE_WINDOW),
        RopeScaling("linear", 8, BASE_WINDOW),
    )
    models = []
    for scaling in scalings:  # each over the one before, without a way back between
        patch = patch_llama_rope(scaling)
        assert patch_llama_rope(scaling) is patch
        models.append(load(checkpoint))
    patch.revert()
    made = [logits(model, LONG) for model in models]
    for scaling, ours in zip(scalings, made, strict=True):
        assert torch.equal(ours, logits(scaled(checkpoint, scaling, "live"), LONG))
    assert not any(torch.equal(made[i], made[j]) for i in range(4) for j in range(i))


def test_a_method_of_others_is_no_patch() -> None:
    with pytest.raises(RopeScalingError, match="rope_type 'dynamic' found; default, linear, ntk, ntk_by_parts can be"):
        patch_llama_rope(RopeScaling("dynamic", 4))
