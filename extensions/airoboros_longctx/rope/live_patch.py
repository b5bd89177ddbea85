"""RoPE scaling of a model that is already loaded, in place, with an exact way back."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import RopeScalingError
from ..core.rope_scaling import APPLICABLE_ROPE_TYPES, RopeReading, RopeScaling
from .frequencies import inverse_frequencies
from .read_back import read_rope_scaling
from .rotary_modules import FoundRotary, find_rotary
from .scaled_modules import MODULE_SHAPES, ModuleShape, module_shape, put_scaling, take_scaling
from .scaling_state import ScaledRope, ScalingState, own_scaling, scaling_state


@dataclass(eq=False)
class LivePatch:
    """What one application did.

    ``modules``: how many rotary modules run the scaling now. ``changed``: False when the model ran it already and
    nothing was touched; ``message`` says which.
    """

    scaling: RopeScaling
    modules: int
    changed: bool
    message: str
    _applied: list[tuple[weakref.ref[nn.Module], ModuleShape, ScalingState]] = field(default_factory=list, repr=False)

    def revert(self) -> None:
        """Undo this application, and only this one: exactly what ran before runs again. Twice does no harm."""
        while self._applied:
            reference, shape, state = self._applied.pop()
            module = reference()
            if module is not None:  # an unloaded model needs no way back, and this must not keep it alive
                take_scaling(module, shape, state)


def apply_rope_scaling(model: Any, scaling: RopeScaling) -> LivePatch:
    """Make ``model`` (see ``read_rope_scaling`` for what it may be) run ``scaling``, by any applicable method.

    The model's own tensors, classes and configuration stay untouched or come back with ``revert()``. Applying what
    already runs changes nothing and says so; applying another scaling over an own application replaces it until it is
    reverted. Raises RopeScalingError, with the model as it was, when the model is scaled by anybody else (two scalings
    never stack), when nothing can be scaled, and when the model does not run ``scaling`` afterwards.
    """
    if scaling.rope_type not in APPLICABLE_ROPE_TYPES:
        raise RopeScalingError(
            f"rope_type {scaling.rope_type!r} found; {', '.join(APPLICABLE_ROPE_TYPES)} can be applied to a loaded "
            "model. Leave the model as its loader made it, or state one of these."
        )
    found, before = find_rotary(model), read_rope_scaling(model, scaling)
    if before.agrees_with(scaling):
        return LivePatch(scaling, before.modules, False, f"the model already runs {scaling}: nothing to do")
    shapes = _shapes(found)
    _refuse_foreign_scaling(found, before, scaling)

    ropes: dict[bytes, ScaledRope] = {}
    patch = LivePatch(scaling, len(found.objects), True, f"{before.modules} rotary modules run {scaling}")
    try:
        for module, shape in zip(found.objects, shapes, strict=True):
            state = ScalingState(_rope(module, shape, found, before, scaling, ropes))
            put_scaling(module, shape, state)
            patch._applied.append((weakref.ref(module), shape, state))
        after = read_rope_scaling(model, scaling)
        if not after.agrees_with(scaling):
            raise RopeScalingError(
                f"After scaling, {after} was read from the model and {scaling} was needed: something "
                "else decides its rotary embedding. It is as it was before; unload what patches it and try again."
            )
    except Exception as problem:
        patch.revert()
        if isinstance(problem, RopeScalingError):
            raise
        raise RopeScalingError(
            f"Scaling {type(model).__name__} failed ({type(problem).__name__}: {problem}); modules of plain Python "
            "classes are needed. The model is as it was before; set the factor where its loader takes one."
        ) from problem
    return patch


def _shapes(found: FoundRotary) -> list[ModuleShape]:
    if found.is_exllama:
        raise RopeScalingError(
            "An ExLlama model found, and Transformers' rotary modules are needed to scale a loaded model. "
            "ExLlama scales by itself: set compress_pos_emb and load the model again."
        )
    shapes = [module_shape(module) for module in found.objects]
    unknown = {type(module).__name__ for module, shape in zip(found.objects, shapes, strict=True) if shape is None}
    if unknown:
        known = "; ".join(f"forward(x, {row.forward_argument}) with {', '.join(row.needs)}" for row in MODULE_SHAPES)
        raise RopeScalingError(
            f"Rotary modules of the class {', '.join(sorted(unknown))} found. Needed: {known}. "
            "Nothing was changed; set the factor where the model's loader takes one."
        )
    return [shape for shape in shapes if shape is not None]


def _refuse_foreign_scaling(found: FoundRotary, before: RopeReading, scaling: RopeScaling) -> None:
    """Only an unscaled model, or one that this extension scaled, may be given another factor."""
    own = [own_scaling(module) for module in found.objects]
    if before.is_unscaled or all(one is not None and before.agrees_with(one) for one in own):
        return
    raise RopeScalingError(
        f"{before} was read from the model, and an unscaled one is needed to apply {scaling}: two "
        "scalings must not be stacked. Take the other one away (rope_scaling in config.json, compress_pos_emb, "
        "alpha_value, or the patch active while it was loaded) and load the model again."
    )


def _rope(
    module: nn.Module,
    shape: ModuleShape,
    found: FoundRotary,
    before: RopeReading,
    scaling: RopeScaling,
    ropes: dict[bytes, ScaledRope],
) -> ScaledRope:
    """One for every distinct set of frequencies: one for all layers of a Llama."""
    inv_freq = _unscaled_frequencies(module, found, before)
    key = inv_freq.numpy().tobytes()
    if key not in ropes:
        own = module.__dict__.get("max_seq_len_cached")
        length = max(own if isinstance(own, int) else 0, scaling.max_position_embeddings)
        theta = found.rope_theta or before.rope_theta
        ropes[key] = ScaledRope.of(scaling, inv_freq, theta, length, divide_positions=shape.divides_positions)
    return ropes[key]


def _unscaled_frequencies(module: nn.Module, found: FoundRotary, before: RopeReading) -> Tensor:
    """The module's own float32 frequencies; computed again where it was built scaled, and where a cast to half
    precision has rounded them."""
    own = module.inv_freq
    state = scaling_state(module)
    if state is not None:
        return state.rope.unscaled
    if own_scaling(module) is not None:
        return inverse_frequencies(before.head_dim, found.rope_theta or before.rope_theta)
    if isinstance(own, Tensor) and own.dtype == torch.float32 and not own.is_meta:
        return own.detach().cpu()
    return inverse_frequencies(before.head_dim, before.rope_theta)
