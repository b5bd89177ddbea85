"""``replace_llama_rope_with_scaled_rope``, the function of the model cards, with a way back.

Every Llama that Transformers builds while it is active runs scaled, whoever builds it (the Transformers loader,
AutoGPTQ); models built before, and after ``revert()``, are as without us. A model whose configuration states a
``rope_scaling`` of its own is left to Transformers: two scalings never stack.

What replaces ``modeling_llama.LlamaRotaryEmbedding`` is a subclass of whatever is there, made by the row of
``CLASS_SHAPES`` that fits. Its instances take the scaling with them: they stay scaled when the patch goes.
"""

from __future__ import annotations

import importlib
import math
import threading
import weakref
from typing import Any

from torch import nn

from ..core.errors import RopeScalingError
from ..core.rope_scaling import APPLICABLE_ROPE_TYPES, LINEAR, RopeScaling
from .class_shapes import CLASS_NAME, MODELING_MODULE, class_shape
from .frequencies import inverse_frequencies
from .scaling_state import ScaledRope

#: The name under which the library's module carries the active patch: seen by a second copy of this package as well.
PATCH_ATTRIBUTE = "_airoboros_longctx_rope_patch"

_lock = threading.RLock()


class ClassPatch:
    """The replaced class. ``modules_built`` counts the rotary modules that were built scaled by it."""

    def __init__(self, modeling: Any, scaling: RopeScaling, max_position_embeddings: int) -> None:
        self.scaling = scaling
        self.max_position_embeddings = max_position_embeddings
        self.modules_built = 0
        self.active = False
        self._modeling = modeling
        self._original: type[nn.Module] = getattr(modeling, CLASS_NAME)
        self._replacement = class_shape(self._original).build(self._original, self)
        self._ropes: weakref.WeakValueDictionary[tuple[int, float], ScaledRope] = weakref.WeakValueDictionary()

    def revert(self) -> None:
        """Put back what was there, if ours is still on top; under a later patch ours just passes through from now on.

        Models built while the patch was active keep their factor. Calling it twice does no harm.
        """
        with _lock:
            if not self.active:
                return
            self.active = False
            if getattr(self._modeling, CLASS_NAME, None) is self._replacement:
                setattr(self._modeling, CLASS_NAME, self._original)
            if getattr(self._modeling, PATCH_ATTRIBUTE, None) is self:
                delattr(self._modeling, PATCH_ATTRIBUTE)

    def rope(self, head_dim: int, rope_theta: float) -> ScaledRope:
        """The one for all layers with this ``head_dim`` and base; its table lives as long as a model that uses it."""
        with _lock:
            rope = self._ropes.get((head_dim, rope_theta))
            if rope is None:
                rope = ScaledRope.of(self.scaling, inverse_frequencies(head_dim, rope_theta), rope_theta)
                self._ropes[(head_dim, rope_theta)] = rope
            return rope

    def _apply(self) -> None:
        setattr(self._modeling, CLASS_NAME, self._replacement)
        setattr(self._modeling, PATCH_ATTRIBUTE, self)
        self.active = True


def replace_llama_rope_with_scaled_rope(factor: float = 4, max_position_embeddings: int = 8192) -> ClassPatch:
    """Scale the rotary embedding of every Llama that is loaded from now on by ``factor``.

    ``max_position_embeddings`` is the stretched window in tokens, the length of tables made in advance; longer
    sequences stay scaled. Asking again for what is active returns the active patch; other values replace it.
    Raises RopeScalingError when the values make no sense or Transformers has no class that could be replaced.
    """
    if not (isinstance(factor, (int, float)) and math.isfinite(factor) and factor >= 1):
        raise RopeScalingError(f"RoPE factor {factor!r} found; a finite number of 1 or more is needed. Try 4.")
    if not (isinstance(max_position_embeddings, int) and max_position_embeddings >= 1):
        raise RopeScalingError(
            f"max_position_embeddings {max_position_embeddings!r} found; a number of tokens is needed. Try 8192."
        )
    return patch_llama_rope(
        RopeScaling(LINEAR, float(factor), max(1, round(max_position_embeddings / factor))), max_position_embeddings
    )


def patch_llama_rope(scaling: RopeScaling, max_position_embeddings: int | None = None) -> ClassPatch:
    """As ``replace_llama_rope_with_scaled_rope``, for every method that this extension applies.

    ``max_position_embeddings``: the length of tables made in advance; None is the window of ``scaling``.
    Raises RopeScalingError for another method, and where Transformers has no class that could be replaced.
    """
    if scaling.rope_type not in APPLICABLE_ROPE_TYPES:
        raise RopeScalingError(
            f"rope_type {scaling.rope_type!r} found; {', '.join(APPLICABLE_ROPE_TYPES)} can be applied. "
            "Leave the model to the code that brings its scaling."
        )
    length = scaling.max_position_embeddings if max_position_embeddings is None else max_position_embeddings
    with _lock:
        modeling = _modeling_llama()
        active = getattr(modeling, PATCH_ATTRIBUTE, None)
        if active is not None:
            if (active.scaling, active.max_position_embeddings) == (scaling, length):
                return active  # type: ignore[no-any-return]
            active.revert()
        patch = ClassPatch(modeling, scaling, length)
        patch._apply()
        return patch


def restore_llama_rope() -> bool:
    """Undo the active patch, whoever applied it. False when none is active."""
    with _lock:
        active = getattr(_modeling_llama(), PATCH_ATTRIBUTE, None)
        if active is None:
            return False
        active.revert()
        return True


def _modeling_llama() -> Any:
    try:
        modeling = importlib.import_module(MODELING_MODULE)
    except Exception as problem:
        raise RopeScalingError(
            f"{MODELING_MODULE} could not be imported ({type(problem).__name__}: {problem}), and Transformers 4.31 or "
            "later is needed. Install it, or use a loader that scales by itself."
        ) from problem
    return modeling
