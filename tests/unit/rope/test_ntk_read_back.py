"""NTK and NTK by parts read from live models, from exact and rounded angles, and judged against the plan."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from extensions.airoboros_longctx.core.context_plan import PlanRequest
from extensions.airoboros_longctx.core.explanation import summary
from extensions.airoboros_longctx.core.known_hosts import known_capabilities
from extensions.airoboros_longctx.core.load_status import Verdict
from extensions.airoboros_longctx.core.load_verdict import judge
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.core.user_rules import UserRule
from extensions.airoboros_longctx.rope.angle_fit import fit_angles
from extensions.airoboros_longctx.rope.engine import RopeEngine
from extensions.airoboros_longctx.rope.probes import POSITIONS, Rows
from extensions.airoboros_longctx.rope.read_back import read_rope_scaling
from tests.unit.rope import ntk_reference
from tests.unit.rope.scaled_models import BY_PARTS_4, NTK_8, each_method, each_way, plant, scaled
from tests.unit.rope.tiny_llama import (
    BASE_WINDOW,
    DTYPES,
    load,
    rotary_modules,
)


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
