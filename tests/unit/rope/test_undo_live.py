"""The laws of scaling a loaded model: everything comes back, nothing stacks, and what others did stays theirs."""

from __future__ import annotations

import copy
import gc
import weakref
from pathlib import Path

import pytest
import torch

from extensions.airoboros_longctx.core.errors import RopeScalingError
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling
from extensions.airoboros_longctx.rope.read_back import read_rope_scaling
from tests.unit.rope.scaled_models import each_way, scaled
from tests.unit.rope.tiny_llama import BASE_WINDOW, DTYPES, KEEPS_TABLES, load, logits, rotary_modules, state_of

LONG = 5 * BASE_WINDOW


def linear(factor: float) -> RopeScaling:
    return RopeScaling("linear", factor, BASE_WINDOW)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("factor", [4, 3, 1.7])
def test_undo_brings_everything_back(checkpoint: Path, factor: float, dtype: torch.dtype) -> None:
    model = load(checkpoint, dtype=dtype)
    state, before = state_of(model), logits(model, BASE_WINDOW)
    patch = apply_rope_scaling(model, linear(factor))
    assert not torch.equal(logits(model, LONG)[:, :BASE_WINDOW], before)
    patch.revert()
    assert state_of(model) == state
    assert torch.equal(logits(model, BASE_WINDOW), before)
    patch.revert()
    assert state_of(model) == state


def test_undo_follows_a_model_that_was_cast_meanwhile(checkpoint: Path) -> None:
    model, plain = load(checkpoint), load(checkpoint)
    patch = apply_rope_scaling(model, linear(3))
    model.to(torch.bfloat16)
    plain.to(torch.bfloat16)
    patch.revert()
    assert state_of(model) == state_of(plain)
    assert torch.equal(logits(model, LONG), logits(plain, LONG))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("factor", [1, 2, 8])
def test_a_model_that_was_built_scaled_takes_another_factor_and_goes_back(
    checkpoint: Path, factor: int, dtype: torch.dtype
) -> None:
    model = scaled(checkpoint, linear(4), "class", dtype)
    before = logits(model, LONG)  # first: old tables grow with what is read
    state = state_of(model)
    patch = apply_rope_scaling(model, linear(factor))
    assert torch.equal(logits(model, LONG), logits(load(checkpoint, factor if factor > 1 else None, dtype), LONG))
    patch.revert()
    assert state_of(model) == state
    assert torch.equal(logits(model, LONG), before)
    assert str(read_rope_scaling(model)) == "linear ×4"


def test_several_applications_are_undone_in_reverse(checkpoint: Path) -> None:
    model = load(checkpoint)
    seen, patches = [logits(model, LONG)], []
    for factor in (2, 8, 1, 3):
        patches.append(apply_rope_scaling(model, linear(factor)))
        assert read_rope_scaling(model).factor == factor
        assert torch.equal(
            logits(model, LONG), logits(load(checkpoint, factor if factor > 1 else None), LONG)
        )  # replaced, never multiplied
        seen.append(logits(model, LONG))
    for patch in reversed(patches):
        assert torch.equal(logits(model, LONG), seen.pop())
        patch.revert()
    assert torch.equal(logits(model, LONG), seen.pop())
    assert state_of(model) == state_of_used(load(checkpoint))


def state_of_used(model):
    logits(model, LONG)
    return state_of(model)


@each_way
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("other", [linear(2), linear(3), RopeScaling(), RopeScaling("ntk", 8, BASE_WINDOW)], ids=str)
def test_another_scaling_is_tried_on_a_model_that_we_scaled(
    checkpoint: Path, way: str, dtype: torch.dtype, other: RopeScaling
) -> None:
    model, fresh = scaled(checkpoint, linear(4), way, dtype), load(checkpoint, dtype=dtype)
    state, before = state_of(model), logits(model, LONG)
    trial, patch = apply_rope_scaling(fresh, other), apply_rope_scaling(model, other)
    assert patch.changed
    assert torch.equal(logits(model, LONG), logits(fresh, LONG))
    patch.revert()
    grown = {key for key in state if key.endswith("max_seq_len_cached")}  # a table that grew may stay so: up to 4.37
    now = state_of(model)
    assert {key: now[key] for key in now if key not in grown} == {key: state[key] for key in state if key not in grown}
    assert torch.equal(logits(model, LONG), before)
    assert trial.changed == (other != RopeScaling())


def test_an_earlier_application_can_go_first(checkpoint: Path) -> None:
    model = load(checkpoint)
    state = state_of(model)
    first, second, third = (apply_rope_scaling(model, linear(factor)) for factor in (2, 4, 8))
    second.revert()
    assert read_rope_scaling(model).factor == 8
    third.revert()
    assert read_rope_scaling(model).factor == 2
    first.revert()
    assert state_of(model) == state


def test_applying_what_already_runs_changes_nothing_and_says_so(checkpoint: Path) -> None:
    model = load(checkpoint)
    patch = apply_rope_scaling(model, linear(4))
    assert (patch.changed, patch.modules) == (True, len(rotary_modules(model)))
    state = state_of(model)
    again = apply_rope_scaling(model, linear(4))
    assert (again.changed, again.modules) == (False, len(rotary_modules(model)))
    assert again.message == "the model already runs linear ×4: nothing to do"
    assert state_of(model) == state
    again.revert()
    assert read_rope_scaling(model).factor == 4
    patch.revert()
    assert read_rope_scaling(model).factor == 1
    assert not apply_rope_scaling(load(checkpoint, 4), linear(4)).changed
    assert not apply_rope_scaling(load(checkpoint), RopeScaling()).changed


def test_a_model_scaled_by_others_is_refused_and_left_alone(checkpoint: Path) -> None:
    for model in (load(checkpoint, 2), load(checkpoint, 2.0, rope_type="dynamic"), load(checkpoint)):
        if read_rope_scaling(model).factor == 1:
            for module in rotary_modules(model):
                module.inv_freq.mul_(0.9)
                for name in ("cos_cached", "sin_cached"):
                    if name in module._buffers:
                        module._buffers[name].mul_(0.9)
        state = state_of(model)
        with pytest.raises(RopeScalingError, match=r"two scalings must not be stacked\. Take the other one away"):
            apply_rope_scaling(model, linear(4))
        assert state_of(model) == state


def test_another_rope_type_is_refused(checkpoint: Path) -> None:
    with pytest.raises(
        RopeScalingError, match="rope_type 'yarn' found; default, linear, ntk, ntk_by_parts can be applied"
    ):
        apply_rope_scaling(load(checkpoint), RopeScaling("yarn", 4, BASE_WINDOW))


def test_a_failed_application_leaves_every_bit(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from extensions.airoboros_longctx.rope import live_patch

    model = load(checkpoint)
    state, put, calls = state_of(model), live_patch.put_scaling, []

    def fails_at_the_last(module, shape, scaling_state):
        calls.append(module)
        if len(calls) == len(rotary_modules(model)):
            raise TypeError("no plain class")
        put(module, shape, scaling_state)

    monkeypatch.setattr(live_patch, "put_scaling", fails_at_the_last)
    with pytest.raises(RopeScalingError, match=r"TypeError: no plain class.* The model is as it was before"):
        apply_rope_scaling(model, linear(4))
    assert state_of(model) == state


def test_a_scaling_without_effect_is_an_error_and_undone(checkpoint: Path) -> None:
    model = load(checkpoint)
    for module in rotary_modules(model):
        theirs = copy.deepcopy(module)  # somebody's forward that asks a module of their own
        module.forward = theirs.forward
    state = state_of(model)
    with pytest.raises(RopeScalingError, match="something else decides its rotary embedding"):
        apply_rope_scaling(model, RopeScaling("ntk", 4, BASE_WINDOW))  # linear takes effect where positions are divided
    assert state_of(model) == state


def test_a_class_put_over_ours_stays_and_ours_passes_through(checkpoint: Path) -> None:
    model, plain = load(checkpoint), load(checkpoint)
    patch = apply_rope_scaling(model, linear(4))
    theirs = type("TheirRotaryEmbedding", (type(rotary_modules(model)[0]),), {})
    for module in rotary_modules(model):
        module.__class__ = theirs
    assert torch.equal(logits(model, LONG), logits(load(checkpoint, 4), LONG))
    patch.revert()
    assert {type(module) for module in rotary_modules(model)} == {theirs}
    assert torch.equal(logits(model, LONG), logits(plain, LONG))
    assert torch.equal(logits(model, LONG * 2), logits(plain, LONG * 2))


@pytest.mark.parametrize("way", ["buffer", "attribute", "register_buffer", "in place"])
def test_tensors_planted_over_ours_count_are_caught_and_stay(checkpoint: Path, way: str) -> None:
    model = load(checkpoint)
    patch = apply_rope_scaling(model, linear(4))
    names = ("cos_cached", "sin_cached") if KEEPS_TABLES else ("inv_freq",)
    theirs = []
    for module in rotary_modules(model):
        for name in names:
            planted = getattr(module, name).clone() * 1.25
            if way == "buffer":
                module._buffers[name] = planted
            elif way == "attribute":
                setattr(module, name, planted)
            elif way == "register_buffer":
                module.register_buffer(name, planted, persistent=False)
            elif not theirs or not KEEPS_TABLES:  # all layers share the table
                getattr(module, name).mul_(1.25)
            if way != "in place":
                theirs.append((module, name, planted))
    assert not read_rope_scaling(model).agrees_with(linear(4))
    patch.revert()
    assert all(getattr(module, name) is planted for module, name, planted in theirs)
    if way == "in place" and KEEPS_TABLES:
        assert torch.equal(logits(model, LONG), logits(load(checkpoint), LONG))
    assert not [name for module in rotary_modules(model) for name in module._buffers if "unscaled" in name]


def test_a_forward_put_over_ours_stays(checkpoint: Path) -> None:
    model = load(checkpoint)
    patch = apply_rope_scaling(model, linear(4))
    calls = []
    for module in rotary_modules(model):
        forward = module.forward
        module.forward = lambda *a, forward=forward, **k: calls.append(1) or forward(*a, **k)
    patch.revert()
    assert torch.equal(logits(model, LONG), logits(load(checkpoint), LONG))
    assert calls


def test_a_copy_of_a_scaled_model_lives_its_own_life(checkpoint: Path) -> None:
    model = load(checkpoint)
    patch = apply_rope_scaling(model, linear(4))
    twin = copy.deepcopy(model)
    patch.revert()
    assert read_rope_scaling(model).factor == 1
    assert read_rope_scaling(twin).factor == 4
    assert torch.equal(logits(twin, LONG), logits(load(checkpoint, 4), LONG))


def test_an_undo_does_not_keep_an_unloaded_model(checkpoint: Path) -> None:
    model = load(checkpoint)
    patch = apply_rope_scaling(model, linear(4))
    gone = [weakref.ref(module) for module in rotary_modules(model)]
    del model
    gc.collect()
    assert [reference() for reference in gone] == [None] * len(gone)
    patch.revert()
