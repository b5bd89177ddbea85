"""Read-back: right where the model is right, and not fooled where it is wrong."""

from __future__ import annotations

import copy
import inspect
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.angle_fit import fit_angles
from extensions.airoboros_longctx.rope.class_patch import replace_llama_rope_with_scaled_rope
from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling
from extensions.airoboros_longctx.rope.probes import POSITIONS, Rows
from extensions.airoboros_longctx.rope.read_back import read_rope_scaling
from extensions.airoboros_longctx.rope.rotary_modules import find_rotary
from tests.unit.rope.scaled_models import plant
from tests.unit.rope.tiny_llama import (
    BASE_WINDOW,
    DTYPES,
    FACTORS,
    HAS_ROPE_PARAMETERS,
    HAS_ROPE_UTILS,
    KEEPS_TABLES,
    LAYERS,
    ROTARY_MODULES,
    base_in_config_only,
    load,
    logits,
    reference_rows,
    rotary_modules,
    state_of,
)

tables_only = pytest.mark.skipif(not KEEPS_TABLES, reason="this Transformers keeps no tables")
rope_utils_only = pytest.mark.skipif(not HAS_ROPE_UTILS, reason="this Transformers knows neither yarn nor llama3")


def linear(factor: float) -> RopeScaling:
    return RopeScaling("linear", factor, BASE_WINDOW)


# --------------------------------------------------------------------------------------------------- right is right


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("factor", [None, *FACTORS, 1.0009, 16, 2.37])
def test_native_scaling_is_read(checkpoint: Path, factor: float | None, dtype: torch.dtype) -> None:
    reading = read_rope_scaling(load(checkpoint, factor, dtype))
    assert reading.rope_type == ("default" if factor is None else "linear")
    assert reading.factor == pytest.approx(factor or 1.0, rel=1e-6 if dtype == torch.float32 else 5e-4)
    assert (reading.head_dim, reading.rope_theta) == (16, 10000.0)
    assert reading.modules == ROTARY_MODULES
    assert reading.error < (3e-5 if dtype == torch.float32 else 8e-3)
    assert reading.agrees_with(linear(factor or 1.0))
    assert not reading.agrees_with(linear(1.9))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("factor", FACTORS)
def test_our_scaling_is_read(checkpoint: Path, factor: float, dtype: torch.dtype) -> None:
    model = load(checkpoint, dtype=dtype)
    apply_rope_scaling(model, linear(factor))
    patch = replace_llama_rope_with_scaled_rope(factor, round(factor * BASE_WINDOW))
    built = load(checkpoint, dtype=dtype)
    patch.revert()
    for scaled in (model, built):
        reading = read_rope_scaling(scaled)
        assert (reading.rope_type, reading.factor, reading.note) == ("linear", factor, "")


@base_in_config_only
@pytest.mark.parametrize("theta", [26000.0, 1e6])
def test_the_stated_base_is_taken_into_account(checkpoint: Path, theta: float) -> None:
    parameters = {"rope_type": "default", "rope_theta": theta}
    stated = {"rope_parameters": parameters} if HAS_ROPE_PARAMETERS else {"rope_theta": theta}
    reading = read_rope_scaling(load(checkpoint, **stated))
    assert (reading.rope_type, reading.factor, reading.rope_theta) == ("default", 1.0, theta)


@pytest.mark.parametrize("cast", [torch.float16, torch.bfloat16], ids=str)
def test_a_model_cast_by_hand_is_still_read(checkpoint: Path, cast: torch.dtype) -> None:
    for factor in (None, 4):
        reading = read_rope_scaling(load(checkpoint, factor).to(cast))
        assert reading.agrees_with(linear(factor or 1.0), 2e-3), reading


def test_the_modules_found_are_those_that_the_forward_pass_calls(any_checkpoint: Path) -> None:
    model, called = load(any_checkpoint), []
    for module in model.modules():
        if "Rotary" in type(module).__name__:
            module.register_forward_hook(lambda module, *_: called.append(module))
    logits(model, 5)
    found = find_rotary(model).objects
    assert {id(module) for module in called} == {id(module) for module in found}


def test_reading_leaves_no_trace(checkpoint: Path) -> None:
    for model in (
        load(checkpoint),
        load(checkpoint, 4),
        load(checkpoint, 2.0, rope_type="dynamic"),
        load(checkpoint, dtype=torch.float16),
    ):
        logits(model, 2 * BASE_WINDOW + 3)  # a dynamic model has adapted to a length
        state, identities = state_of(model), [id(b) for m in rotary_modules(model) for b in m._buffers.values()]
        read_rope_scaling(model)
        assert state_of(model) == state
        assert [id(b) for m in rotary_modules(model) for b in m._buffers.values()] == identities


def test_a_module_is_asked_twice_at_most(checkpoint: Path) -> None:
    model, asked = load(checkpoint, 4), []
    for module in rotary_modules(model):
        module.register_forward_hook(lambda *_: asked.append(1))
    read_rope_scaling(model)
    assert len(asked) == len(rotary_modules(model)) + 1  # each once, and one of each class as if it had grown


def test_inv_freq_is_not_what_is_read(checkpoint: Path) -> None:
    model = load(checkpoint, 4)
    if KEEPS_TABLES:  # Transformers' own linear scaling says 1.0 there
        assert float(rotary_modules(model)[0].inv_freq[0]) == 1.0
    assert "inv_freq" not in inspect.getsource(inspect.getmodule(fit_angles))
    for module in rotary_modules(model):
        answer = module.forward
        module.forward = lambda *a, answer=answer, **k: tuple(reversed(answer(*a, **k)))
        module.forward.__signature__ = inspect.signature(answer)  # type: ignore[attr-defined]
    assert read_rope_scaling(model).factor is None


# -------------------------------------------------------------------------------------------------- wrong is caught


@pytest.mark.parametrize("dimension", [0, 3, 7])
@pytest.mark.parametrize("wrong", [0.5, 0.99, 1.001])
@pytest.mark.parametrize("factor", [None, 4])
def test_one_wrong_frequency_is_caught(checkpoint: Path, factor: float | None, dimension: int, wrong: float) -> None:
    model = load(checkpoint, factor)
    for module in rotary_modules(model):
        planted = module.inv_freq.clone()
        planted[dimension] *= wrong
        plant(module, planted)
    reading = read_rope_scaling(model)
    assert (reading.rope_type, reading.factor) == ("other", None)
    assert not reading.agrees_with(linear(factor or 1.0))
    assert reading.note


def test_a_half_right_factor_is_read_as_what_it_is(checkpoint: Path) -> None:
    model = load(checkpoint, 4)
    for module in rotary_modules(model):
        plant(module, module.inv_freq * 2)
    reading = read_rope_scaling(model)
    assert (reading.rope_type, reading.factor) == ("linear", 2.0)
    assert not reading.agrees_with(linear(4))


def test_random_frequencies_are_caught(checkpoint: Path) -> None:
    model = load(checkpoint)
    for module in rotary_modules(model):
        plant(module, torch.rand(8, generator=torch.Generator().manual_seed(3)))
    assert read_rope_scaling(model).rope_type == "other"


def test_nonsense_is_caught(checkpoint: Path) -> None:
    for nonsense in (torch.full((8,), float("nan")), torch.zeros(8), -torch.ones(8)):
        model = load(checkpoint)
        for module in rotary_modules(model):
            plant(module, nonsense)
        reading = read_rope_scaling(model)
        assert (reading.rope_type, reading.factor) == ("other", None), nonsense


def test_another_base_is_not_a_factor(checkpoint: Path) -> None:
    base = 10000.0 * 8 ** (16 / 14)  # NTK, alpha 8
    model = load(checkpoint)
    for module in rotary_modules(model):
        plant(module, torch.tensor(base ** -(np.arange(8) / 8), dtype=torch.float32))
    reading = read_rope_scaling(model)
    assert (reading.rope_type, reading.factor) == ("ntk", 8)
    assert reading.rope_theta == pytest.approx(base, rel=1e-4)
    assert not reading.agrees_with(linear(1))
    assert not reading.agrees_with(linear(8))
    assert reading.agrees_with(RopeScaling("ntk", 8, BASE_WINDOW))
    for module in rotary_modules(model):  # and with a linear factor on top
        plant(module, module.inv_freq / 4)
    reading = read_rope_scaling(model)
    assert (reading.rope_type, reading.factor) == ("other", None)
    assert reading.note.startswith("factor 4 and base ")


def test_dynamic_scaling_is_not_taken_for_none(checkpoint: Path) -> None:
    model = load(checkpoint, 2.0, rope_type="dynamic")
    for _ in range(2):
        reading = read_rope_scaling(model)
        assert (reading.rope_type, reading.factor) == ("dynamic", None)
        logits(model, 3 * BASE_WINDOW)


@rope_utils_only
def test_yarn_and_llama3_are_other(checkpoint: Path) -> None:
    common = {"rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": BASE_WINDOW // 2}
    name = "rope_parameters" if HAS_ROPE_PARAMETERS else "rope_scaling"
    for values, note in (
        ({"rope_type": "yarn"}, "multiplied by"),
        ({"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}, "no uniformly scaled"),
    ):
        reading = read_rope_scaling(load(checkpoint, **{name: {**common, **values}}))
        assert (reading.rope_type, reading.factor) == ("other", None)
        assert note in reading.note


@tables_only
def test_one_layer_left_unscaled_is_caught(checkpoint: Path) -> None:
    model, plain = load(checkpoint, 4), load(checkpoint)
    model.model.layers[1].self_attn.rotary_emb = plain.model.layers[1].self_attn.rotary_emb
    reading = read_rope_scaling(model)
    assert (reading.rope_type, reading.factor, reading.modules) == ("other", None, LAYERS)
    assert reading.note == "the layers differ: 2 run linear ×4, 1 run default ×1"
    model = load(checkpoint)
    patch = apply_rope_scaling(model, linear(4))
    model.model.layers[2].self_attn.rotary_emb = plain.model.layers[2].self_attn.rotary_emb
    assert read_rope_scaling(model).factor is None
    patch.revert()
    assert read_rope_scaling(model).factor == 1


@tables_only
def test_tables_that_are_lost_when_they_grow_are_caught(checkpoint: Path) -> None:
    model, scaled = load(checkpoint), load(checkpoint, 4)
    for module, other in zip(rotary_modules(model), rotary_modules(scaled), strict=True):
        module.cos_cached, module.sin_cached = other.cos_cached, other.sin_cached
    reading = read_rope_scaling(model)
    assert (reading.rope_type, reading.factor) == ("other", None)
    assert reading.note == "linear ×4 now, default ×1 in a longer sequence"
    assert read_rope_scaling(model) == reading  # the question did not grow them


@tables_only
def test_frequencies_divided_without_effect_are_seen_through(checkpoint: Path) -> None:
    model = load(checkpoint)
    for module in rotary_modules(model):
        module.inv_freq.div_(4)
    reading = read_rope_scaling(model)  # the tables still say 1, and will say 4 when they grow
    assert (reading.rope_type, reading.factor) == ("other", None)
    assert reading.note == "default ×1 now, linear ×4 in a longer sequence"


def test_planting_under_our_patch_has_no_effect_or_is_caught(checkpoint: Path) -> None:
    model = load(checkpoint)
    apply_rope_scaling(model, linear(4))
    for module in rotary_modules(model):
        module._buffers["inv_freq"].mul_(2)
    logits_now = logits(model, 2 * BASE_WINDOW)
    reading = read_rope_scaling(model)
    assert reading.agrees_with(linear(4)) == torch.equal(logits_now, logits(load(checkpoint, 4), 2 * BASE_WINDOW))


def test_a_model_without_rotary_embedding_is_an_error() -> None:
    for model in (None, "llama", torch.nn.Linear(2, 2), SimpleNamespace(model=SimpleNamespace(layers=[]))):
        with pytest.raises(RopeScalingError, match=r"No rotary embedding found in \w+\. Needed: a Llama-type model"):
            read_rope_scaling(model)
        with pytest.raises(RopeScalingError, match="No rotary embedding found"):
            apply_rope_scaling(model, RopeScaling("linear", 4))


def test_a_module_that_does_not_answer_is_an_error(checkpoint: Path) -> None:
    model = copy.deepcopy(load(checkpoint))
    for module in rotary_modules(model):
        module.forward = lambda x: x
    with pytest.raises(RopeScalingError, match="did not answer: TypeError"):
        read_rope_scaling(model)


# ------------------------------------------------------------------------------------------------ the fit by itself


@pytest.mark.parametrize("head_dim", [8, 64, 128])
@pytest.mark.parametrize("kept", [torch.float64, *DTYPES], ids=str)
@pytest.mark.parametrize("factor", [1, 1.7, 4, 8, 3.999, 32])
def test_the_fit_recovers_the_factor_from_rounded_tables(head_dim: int, kept: torch.dtype, factor: float) -> None:
    cos, sin = (
        torch.from_numpy(values).to(kept).double()[list(POSITIONS)]
        for values in reference_rows(POSITIONS[-1] + 1, head_dim, factor)
    )
    fit = fit_angles(Rows(POSITIONS, cos, sin), 10000.0)
    assert fit.factor == pytest.approx(factor, rel=2e-4 if kept == torch.bfloat16 else 3e-5)
    assert fit.error < 2 * torch.finfo(kept).eps + 1e-12 + 2e-2 * abs(fit.factor - factor) * 2048
    unknown = fit_angles(Rows(POSITIONS, cos, sin), None)
    assert unknown.factor is None or unknown.factor == pytest.approx(factor, rel=2e-2)
