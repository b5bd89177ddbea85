"""How a scaled subclass of the library's rotary class is made: one row for every shape that class has had.

The scaling is taken along by every instance at its construction; while the patch is not active the subclass does
nothing at all, so it can stay underneath somebody else's.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..core.errors import RopeScalingError
from ..core.rope_scaling import LLAMA_ROPE_THETA, RopeScaling
from .divided_positions import put_divided_positions
from .frequencies import scale_frequencies
from .rotary_modules import stated_rope_theta
from .scaled_frequencies import ScaledFrequencies, put_frequencies
from .scaling_state import BUILT_ATTRIBUTE, STATE_ATTRIBUTE, ScaledRope, ScalingState
from .shared_tables import SharedTables, put_tables

MODELING_MODULE = "transformers.models.llama.modeling_llama"
CLASS_NAME = "LlamaRotaryEmbedding"


class BuildingPatch(Protocol):
    """What a scaled class asks of the patch that it was built for, and counts there."""

    scaling: RopeScaling
    max_position_embeddings: int
    modules_built: int
    active: bool

    def rope(self, head_dim: int, rope_theta: float) -> ScaledRope: ...


@dataclass(frozen=True)
class ClassShape:
    """One row of the table: ``fits`` a library class, and ``build`` makes its scaled subclass."""

    name: str
    transformers: str
    fits: Callable[[type], bool]
    build: Callable[[type[nn.Module], BuildingPatch], type[nn.Module]]


def _build_with_tables(library_class: type[nn.Module], patch: BuildingPatch) -> type[nn.Module]:
    """The library's constructor makes its tables by a method of its own; there the shared table steps in."""

    bases = (library_class,) if issubclass(library_class, SharedTables) else (SharedTables, library_class)

    class ScaledLlamaRotaryEmbedding(*bases):  # type: ignore[misc]
        def _set_cos_sin_cache(self, seq_len: int, device: Any, dtype: Any) -> None:
            if STATE_ATTRIBUTE in self.__dict__ or not patch.active:
                super()._set_cos_sin_cache(seq_len=seq_len, device=device, dtype=dtype)
                return
            # The first call: one row by the library itself gives the buffers their shape, device and dtype.
            super()._set_cos_sin_cache(seq_len=1, device=device, dtype=dtype)
            rope = patch.rope(int(self.dim), float(self.base))
            rope.table.length = max(rope.table.length, seq_len, patch.max_position_embeddings)
            state = self.__dict__[STATE_ATTRIBUTE] = ScalingState(rope)
            put_tables(self, state)
            patch.modules_built += 1

    return ScaledLlamaRotaryEmbedding


def _scaled_parameters(
    library_function: Callable[..., tuple[Tensor, float]],
    scaling: RopeScaling,
    config: Any,
    *others: Any,
    **keywords: Any,
) -> tuple[Tensor, float]:
    inv_freq, attention_scaling = library_function(config, *others, **keywords)
    return scale_frequencies(scaling, inv_freq, stated_rope_theta(config, None) or LLAMA_ROPE_THETA), attention_scaling


def _build_with_parameters(library_class: type[nn.Module], patch: BuildingPatch) -> type[nn.Module]:
    """The library asks the instance for its default frequencies, once when building it and again after loading."""

    class ScaledLlamaRotaryEmbedding(library_class):  # type: ignore[misc, valid-type]
        @functools.wraps(library_class.__init__)  # type: ignore[misc]
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            if not patch.active:
                super().__init__(*arguments, **keywords)
                return
            default = library_class.compute_default_rope_parameters  # type: ignore[attr-defined]
            self.__dict__["compute_default_rope_parameters"] = functools.partial(
                _scaled_parameters, default, patch.scaling
            )
            super().__init__(*arguments, **keywords)
            if self.rope_type == "default":
                self.__dict__[BUILT_ATTRIBUTE] = patch.scaling
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

    return ScaledLlamaRotaryEmbedding  # type: ignore[no-any-return]


def _build_with_buffer(library_class: type[nn.Module], patch: BuildingPatch) -> type[nn.Module]:
    """The library's constructor makes default frequencies, once: they are exchanged at its end.

    In the versions without ``rope_type`` natively scaled modules have classes of their own, which are not replaced.
    """
    divides = not _takes_config(library_class)
    put = put_divided_positions if divides else put_frequencies
    bases = (library_class,) if issubclass(library_class, ScaledFrequencies) else (ScaledFrequencies, library_class)

    class ScaledLlamaRotaryEmbedding(*bases):  # type: ignore[misc]
        @functools.wraps(library_class.__init__)  # type: ignore[misc]
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            native = getattr(self, "rope_type", "default") != "default"
            if not patch.active or native or STATE_ATTRIBUTE in self.__dict__:
                return
            theta = stated_rope_theta(getattr(self, "config", None), self) or LLAMA_ROPE_THETA
            state = ScalingState(ScaledRope.of(patch.scaling, self.inv_freq, theta, divide_positions=divides))
            put(self, state)
            self.__dict__[STATE_ATTRIBUTE] = state
            patch.modules_built += 1

    return ScaledLlamaRotaryEmbedding  # type: ignore[no-any-return]


def _takes_config(library_class: type) -> bool:
    return "config" in inspect.signature(library_class.__init__).parameters  # type: ignore[misc]


def _takes_base(library_class: type) -> bool:
    return {"dim", "base", "scaling_factor"} <= set(inspect.signature(library_class.__init__).parameters)  # type: ignore[misc]


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
    ClassShape("frequencies in a buffer, made from a config", "4.43 to 4.57", _takes_config, _build_with_buffer),
    ClassShape("frequencies in a buffer, made from a base", "4.38 to 4.42", _takes_base, _build_with_buffer),
)


def class_shape(library_class: Any) -> ClassShape:
    if isinstance(library_class, type) and issubclass(library_class, nn.Module):
        for shape in CLASS_SHAPES:
            if shape.fits(library_class):
                return shape
    known = "; ".join(f"{shape.name} (Transformers {shape.transformers})" for shape in CLASS_SHAPES)
    raise RopeScalingError(
        f"{MODELING_MODULE}.{CLASS_NAME} is {library_class!r}, and a class of one of these shapes is needed: {known}. "
        "Load the model first and scale it in place, or set rope_scaling in its config.json."
    )
