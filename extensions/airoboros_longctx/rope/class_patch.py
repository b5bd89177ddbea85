"""``replace_llama_rope_with_scaled_rope``, the function of the model cards, with a way back.

Every Llama that Transformers builds while it is active runs scaled, whoever builds it (the Transformers loader,
AutoGPTQ); models built before, and after ``revert()``, are as without us. A model whose configuration states a
``rope_scaling`` of its own is left to Transformers: two scalings never stack.

What replaces ``modeling_llama.LlamaRotaryEmbedding`` is a subclass of whatever is there, made by the row of
``CLASS_SHAPES`` that fits. Its instances take the factor with them: they stay scaled when the patch goes.
"""

from __future__ import annotations

import functools
import importlib
import math
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import RopeScalingError
from .frequencies import interpolated_frequencies, inverse_frequencies
from .scaled_table import ScaledTable
from .scaling_state import STATE_ATTRIBUTE, ScalingState
from .shared_tables import SharedTables, put_tables

MODELING_MODULE = "transformers.models.llama.modeling_llama"
CLASS_NAME = "LlamaRotaryEmbedding"
#: The name under which the library's module carries the active patch: seen by a second copy of this package as well.
PATCH_ATTRIBUTE = "_airoboros_longctx_rope_patch"

_lock = threading.RLock()


class ClassPatch:
    """The replaced class. ``modules_built`` counts the rotary modules that were built scaled by it."""

    def __init__(self, modeling: Any, factor: float, max_position_embeddings: int) -> None:
        self.factor = factor
        self.max_position_embeddings = max_position_embeddings
        self.modules_built = 0
        self.active = False
        self._modeling = modeling
        self._original: type[nn.Module] = getattr(modeling, CLASS_NAME)
        self._replacement = _class_shape(self._original).build(self._original, self)
        self._tables: weakref.WeakValueDictionary[tuple[int, float], ScaledTable] = weakref.WeakValueDictionary()

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

    def table(self, head_dim: int, rope_theta: float) -> ScaledTable:
        """The one table for all layers with this ``head_dim`` and base; it lives as long as a model that uses it."""
        with _lock:
            table = self._tables.get((head_dim, rope_theta))
            if table is None:
                frequencies = inverse_frequencies(head_dim, rope_theta)
                table = self._tables[(head_dim, rope_theta)] = ScaledTable(frequencies, self.factor, 1)
            return table

    def _apply(self) -> None:
        setattr(self._modeling, CLASS_NAME, self._replacement)
        setattr(self._modeling, PATCH_ATTRIBUTE, self)
        self.active = True

    def __deepcopy__(self, memo: dict[int, object]) -> ClassPatch:
        return self


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
    with _lock:
        modeling = _modeling_llama()
        active = getattr(modeling, PATCH_ATTRIBUTE, None)
        if active is not None:
            if (active.factor, active.max_position_embeddings) == (float(factor), max_position_embeddings):
                return active  # type: ignore[no-any-return]
            active.revert()
        patch = ClassPatch(modeling, float(factor), max_position_embeddings)
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


@dataclass(frozen=True)
class ClassShape:
    """One row of the table: ``fits`` a library class, and ``build`` makes its scaled subclass."""

    name: str
    transformers: str
    fits: Callable[[type], bool]
    build: Callable[[type[nn.Module], ClassPatch], type[nn.Module]]


def _build_with_tables(library_class: type[nn.Module], patch: ClassPatch) -> type[nn.Module]:
    """The library's constructor makes its tables by a method of its own; there the shared table steps in."""

    bases = (library_class,) if issubclass(library_class, SharedTables) else (SharedTables, library_class)

    class ScaledLlamaRotaryEmbedding(*bases):  # type: ignore[misc]
        def _set_cos_sin_cache(self, seq_len: int, device: Any, dtype: Any) -> None:
            if STATE_ATTRIBUTE in self.__dict__ or not patch.active:
                super()._set_cos_sin_cache(seq_len=seq_len, device=device, dtype=dtype)
                return
            # The first call: one row by the library itself gives the buffers their shape, device and dtype.
            super()._set_cos_sin_cache(seq_len=1, device=device, dtype=dtype)
            table = patch.table(int(self.dim), float(self.base))
            table.length = max(table.length, seq_len, patch.max_position_embeddings)
            state = self.__dict__[STATE_ATTRIBUTE] = ScalingState(patch.factor, table)
            put_tables(self, state)
            patch.modules_built += 1

    return ScaledLlamaRotaryEmbedding


def _scaled_parameters(
    library_function: Callable[..., tuple[Tensor, float]], factor: float, *arguments: Any, **keywords: Any
) -> tuple[Tensor, float]:
    inv_freq, attention_scaling = library_function(*arguments, **keywords)
    return interpolated_frequencies(inv_freq, factor), attention_scaling


def _build_with_parameters(library_class: type[nn.Module], patch: ClassPatch) -> type[nn.Module]:
    """The library asks the instance for its default frequencies, once when building it and again after loading."""

    class ScaledLlamaRotaryEmbedding(library_class):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            if not patch.active:
                super().__init__(*arguments, **keywords)
                return
            default = library_class.compute_default_rope_parameters  # type: ignore[attr-defined]
            self.__dict__["compute_default_rope_parameters"] = functools.partial(
                _scaled_parameters, default, patch.factor
            )
            super().__init__(*arguments, **keywords)
            if self.rope_type == "default":
                patch.modules_built += 1
            else:  # the configuration states a scaling, and the library has applied it
                del self.__dict__["compute_default_rope_parameters"]

        def _apply(self, fn: Callable[[Tensor], Tensor], *arguments: Any, **keywords: Any) -> Any:
            """Frequencies stay float32 when the model is cast to half precision."""
            result = super()._apply(fn, *arguments, **keywords)
            own = self._buffers["inv_freq"]
            if "compute_default_rope_parameters" in self.__dict__ and own.dtype != torch.float32:
                exact, _ = self.compute_default_rope_parameters(self.config)
                for name in ("inv_freq", "original_inv_freq"):
                    self._buffers[name] = exact.to(own.device, torch.float32, copy=True)
            return result

    return ScaledLlamaRotaryEmbedding


CLASS_SHAPES = (
    ClassShape(
        "frequencies from compute_default_rope_parameters",
        "5.x",
        lambda library_class: hasattr(library_class, "compute_default_rope_parameters"),
        _build_with_parameters,
    ),
    ClassShape(
        "tables from _set_cos_sin_cache",
        "4.31 to 4.37",
        lambda library_class: hasattr(library_class, "_set_cos_sin_cache"),
        _build_with_tables,
    ),
)


def _class_shape(library_class: Any) -> ClassShape:
    if isinstance(library_class, type) and issubclass(library_class, nn.Module):
        for shape in CLASS_SHAPES:
            if shape.fits(library_class):
                return shape
    known = "; ".join(f"{shape.name} (Transformers {shape.transformers})" for shape in CLASS_SHAPES)
    raise RopeScalingError(
        f"{MODELING_MODULE}.{CLASS_NAME} is {library_class!r}, and a class of one of these shapes is needed: {known}. "
        "Load the model first and scale it in place, or set rope_scaling in its config.json."
    )
