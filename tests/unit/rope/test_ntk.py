"""NTK and NTK by parts: against float64 formulas and the training code's own numbers, applied, undone and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from extensions.airoboros_longctx.core.context_plan import PlanRequest, UserRule
from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.explanation import summary
from extensions.airoboros_longctx.core.known_hosts import known_capabilities
from extensions.airoboros_longctx.core.load_status import Verdict, judge
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.angle_fit import fit_angles
from extensions.airoboros_longctx.rope.class_patch import patch_llama_rope
from extensions.airoboros_longctx.rope.engine import RopeEngine
from extensions.airoboros_longctx.rope.frequencies import inverse_frequencies, scale_frequencies
from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling
from extensions.airoboros_longctx.rope.probes import POSITIONS, Rows
from extensions.airoboros_longctx.rope.read_back import read_rope_scaling
from tests.unit.rope import ntk_reference
from tests.unit.rope.tiny_llama import (
    BASE_WINDOW,
    DTYPES,
    HAS_ROPE_PARAMETERS,
    KEEPS_TABLES,
    base_in_config_only,
    load,
    logits,
    rotary_modules,
    rotary_rows,
    state_of,
)

LONG = 5 * BASE_WINDOW
NTK_8 = RopeScaling("ntk", 8, BASE_WINDOW)
BY_PARTS_4 = RopeScaling("ntk_by_parts", 4, BASE_WINDOW)
METHODS = (NTK_8, RopeScaling("ntk", 1.7, BASE_WINDOW), BY_PARTS_4, RopeScaling("ntk_by_parts", 3, BASE_WINDOW))
each_method = pytest.mark.parametrize("scaling", METHODS, ids=str)
each_way = pytest.mark.parametrize("way", ["class", "live"])

#: Of the training code itself (LlamaPartNTKScaledRotaryEmbedding(128): window 4096, factor 4), pair by pair.
AIROPHIN = {
    0: 1.0,
    10: 0.23713736236095428,
    22: 0.04216964915394783,
    25: 0.0273841954767704,
    30: 0.011321509256958961,
    36: 0.0035081240348517895,
    40: 0.0014270927058532834,
    44: 0.0006291750469245017,
    47: 0.00031306224991567433,
    48: 0.0002500000118743628,
    63: 2.8869548259535804e-05,
}


def scaled(folder: Path, scaling: RopeScaling, way: str, dtype: torch.dtype = torch.float32) -> Any:
    if way == "live":
        model = load(folder, dtype=dtype)
        assert apply_rope_scaling(model, scaling).changed
        return model
    patch = patch_llama_rope(scaling)
    try:
        model = load(folder, dtype=dtype)
    finally:
        patch.revert()
    assert patch.modules_built >= len(rotary_modules(model))
    return model


# ------------------------------------------------------------------------------------------------------ formulas


@pytest.mark.parametrize("rope_type", ["ntk", "ntk_by_parts"])
@pytest.mark.parametrize("factor", [1.7, 2, 4, 8, 32])
@pytest.mark.parametrize(("head_dim", "window"), [(16, 64), (64, 2048), (100, 2048), (128, 2048), (128, 4096)])
@pytest.mark.parametrize("theta", [10000.0, 1e6])
def test_the_frequencies_are_the_formulas(
    rope_type: str, factor: float, head_dim: int, window: int, theta: float
) -> None:
    scaling = RopeScaling(rope_type, factor, window)
    made = scale_frequencies(scaling, inverse_frequencies(head_dim, theta), theta)
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.double(), ntk_reference.frequencies(scaling, head_dim, theta), rtol=2e-6)


def test_by_parts_is_what_airophin_was_trained_with() -> None:
    made = scale_frequencies(RopeScaling("ntk_by_parts", 4, 4096), inverse_frequencies(128, 10000.0), 10000.0)
    assert {pair: float(made[pair]) for pair in AIROPHIN} == AIROPHIN


def test_ntk_keeps_the_quickest_pair_and_slows_the_slowest_by_alpha() -> None:
    own = inverse_frequencies(128, 10000.0)
    made = scale_frequencies(RopeScaling("ntk", 8), own, 10000.0)
    assert float(made[0]) == float(own[0]) == 1.0
    assert float(own[-1] / made[-1]) == pytest.approx(8, rel=1e-6)


def test_a_factor_of_one_and_a_head_of_one_pair_change_nothing() -> None:
    for rope_type in ("linear", "ntk", "ntk_by_parts"):
        own = inverse_frequencies(64, 10000.0)
        assert torch.equal(scale_frequencies(RopeScaling(rope_type, 1), own, 10000.0), own)
    assert torch.equal(scale_frequencies(NTK_8, inverse_frequencies(2, 10000.0), 10000.0), torch.ones(1))


def test_a_method_without_a_formula_is_an_error() -> None:
    with pytest.raises(RopeScalingError, match="rope_type 'yarn' found; linear, ntk or ntk_by_parts is needed"):
        scale_frequencies(RopeScaling("yarn", 4), inverse_frequencies(64, 10000.0), 10000.0)


# ------------------------------------------------------------------------------------------------------- applied


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


# ------------------------------------------------------------------------------------------------------ read back


def plant(module: Any, inv_freq: torch.Tensor) -> None:
    """Give ``module`` other frequencies by hand, wherever its forward takes them from."""
    module._buffers["inv_freq"] = inv_freq
    if KEEPS_TABLES:
        module._set_cos_sin_cache(module.max_seq_len_cached, "cpu", torch.float32)


@each_way
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@each_method
def test_what_runs_is_read(checkpoint: Path, scaling: RopeScaling, dtype: torch.dtype, way: str) -> None:
    reading = read_rope_scaling(scaled(checkpoint, scaling, way, dtype), scaling)
    window = BASE_WINDOW if scaling.rope_type == "ntk_by_parts" else None
    assert (reading.rope_type, reading.factor) == (scaling.rope_type, scaling.factor)
    assert reading.original_max_position_embeddings == window
    assert reading.agrees_with(scaling)
    assert reading.error < (3e-4 if dtype == torch.float32 else 8e-3)
    for other in (RopeScaling(), RopeScaling("linear", scaling.factor), RopeScaling(scaling.rope_type, 5, BASE_WINDOW)):
        assert not reading.agrees_with(other)


@pytest.mark.parametrize("alpha", [8, 1.7, 2.37])
def test_alpha_is_read_from_the_base_without_a_plan(checkpoint: Path, alpha: float) -> None:
    model = load(checkpoint)
    for module in rotary_modules(model):
        plant(module, torch.tensor(ntk_reference.ntk(16, 10000.0, alpha), dtype=torch.float32))
    reading = read_rope_scaling(model)
    assert (reading.rope_type, reading.factor) == ("ntk", pytest.approx(alpha, rel=1e-5))
    assert reading.rope_theta == pytest.approx(10000.0 * alpha ** (16 / 14), rel=1e-5)
    assert str(read_rope_scaling(model, BY_PARTS_4)) == f"ntk ×{alpha:g}"


@each_method
def test_unscaled_and_linear_models_are_not_taken_for_the_plan(checkpoint: Path, scaling: RopeScaling) -> None:
    for factor in (None, scaling.factor):
        reading = read_rope_scaling(load(checkpoint, factor), scaling)
        assert (reading.rope_type, reading.factor) == ("linear" if factor else "default", factor or 1)
        assert not reading.agrees_with(scaling)


@pytest.mark.parametrize("planned", [NTK_8, BY_PARTS_4], ids=str)
@pytest.mark.parametrize("pair", [1, 4, 7])
@pytest.mark.parametrize("wrong", [0.5, 0.999, 1.01])
def test_one_wrong_frequency_is_caught(checkpoint: Path, planned: RopeScaling, pair: int, wrong: float) -> None:
    model = load(checkpoint)
    frequencies = ntk_reference.frequencies(planned, 16)
    frequencies[pair] *= wrong
    for module in rotary_modules(model):
        plant(module, torch.tensor(frequencies, dtype=torch.float32))
    reading = read_rope_scaling(model, planned)
    assert (reading.rope_type, reading.factor) == ("other", None)
    assert not reading.agrees_with(planned)


@pytest.mark.parametrize(("factor", "window"), [(8, BASE_WINDOW), (2, BASE_WINDOW), (4, 4 * BASE_WINDOW)])
def test_by_parts_with_other_numbers_is_not_the_plan(checkpoint: Path, factor: float, window: int) -> None:
    model = load(checkpoint)
    for module in rotary_modules(model):
        plant(module, torch.tensor(ntk_reference.by_parts(16, 10000.0, factor, window), dtype=torch.float32))
    assert not read_rope_scaling(model, BY_PARTS_4).agrees_with(BY_PARTS_4)
    right = RopeScaling("ntk_by_parts", factor, window)
    assert read_rope_scaling(model, right).agrees_with(right)


@pytest.mark.parametrize("kept", DTYPES, ids=str)
@pytest.mark.parametrize(
    "scaling",
    [RopeScaling("ntk", 8, 2048), RopeScaling("ntk_by_parts", 4, 4096), RopeScaling("ntk_by_parts", 8, 2048)],
    ids=str,
)
def test_the_fit_knows_real_sizes_in_rounded_tables(scaling: RopeScaling, kept: torch.dtype) -> None:
    cos, sin = (
        torch.from_numpy(values).to(kept).double()[list(POSITIONS)]
        for values in ntk_reference.rows(scaling, POSITIONS[-1] + 1, 128)
    )
    rows = Rows(POSITIONS, cos, sin)
    fit = fit_angles(rows, 10000.0, [scaling])
    assert (fit.rope_type, fit.factor) == (scaling.rope_type, scaling.factor)
    assert fit.error < 2 * torch.finfo(kept).eps + POSITIONS[-1] * 2**-24
    double = RopeScaling(scaling.rope_type, 2 * scaling.factor, scaling.original_max_position_embeddings)
    assert fit_angles(rows, 10000.0, [double]).factor != double.factor
    other_window = RopeScaling("ntk_by_parts", scaling.factor, 3 * scaling.original_max_position_embeddings)
    assert fit_angles(rows, 10000.0, [other_window]).rope_type != "ntk_by_parts"


def test_a_smaller_base_than_stated_is_no_alpha(checkpoint: Path) -> None:
    model = load(checkpoint)
    for module in rotary_modules(model):
        plant(module, torch.tensor(ntk_reference.frequencies(RopeScaling(), 16, 5000.0), dtype=torch.float32))
    reading = read_rope_scaling(model)
    assert (reading.rope_type, reading.factor) == ("other", None)
    assert reading.note == "factor 1 and base 5000 where 10000 is stated"


# ----------------------------------------------------------------------------------------- from a rule to the verdict


@each_way
@pytest.mark.parametrize("rope_type", ["linear", "ntk", "ntk_by_parts"])
def test_a_planned_method_is_applied_and_confirmed(checkpoint: Path, rope_type: str, way: str) -> None:
    request = PlanRequest(rules=(UserRule("*", rope_type, 4.0),))
    plan = plan_context(read_model_facts(checkpoint), known_capabilities("workbench"), request)
    assert (plan.mechanism, plan.scaling) == ("patch", RopeScaling(rope_type, 4, BASE_WINDOW))
    engine = RopeEngine()
    undo = engine.patch_classes(plan.scaling) if way == "class" else None
    model = load(checkpoint)
    if undo is not None:
        undo()
    if way == "live":
        status = judge(plan, summary(plan), engine.read(model, plan.scaling))
        assert (status.verdict, status.headline.rpartition(" · ")[2]) == (Verdict.WRONG, "but the live model runs ×1")
        engine.scale_live(model, plan.scaling)
    status = judge(plan, summary(plan), engine.read(model, plan.scaling))
    assert status.verdict is Verdict.CONFIRMED
    assert status.headline == f"{rope_type} ×4 · 256 tokens · Transformers · confirmed on the live model"
    other = RopeScaling("linear" if rope_type == "ntk" else "ntk", 4, BASE_WINDOW)
    status = judge(plan, summary(plan), engine.read(scaled(checkpoint, other, way), plan.scaling))
    assert status.headline.endswith(f"but the live model runs {other}")
