"""llama.cpp through its Python binding (llama.cpp and llamacpp_HF up to v2.7): what its context was made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ....core.rope_scaling import RopeReading
from .llama_server import read_gguf, told_factor
from .rope_shape import rope_shape


def read_context(model: Any, path: Path) -> RopeReading | None:
    """The parameters of the live context. 0 is "as the file says", for the scale and for the base."""
    engine = getattr(model, "model", None)
    parameters: Any = getattr(engine, "context_params", None) or getattr(engine, "params", None)
    scale = getattr(parameters, "rope_freq_scale", None)
    if scale is None:
        return None
    length = int(parameters.n_ctx) or None
    file = Path(getattr(engine, "model_path", path))
    if scale == 0:
        return read_gguf(file, length)
    shape = rope_shape(file)
    return told_factor(1 / float(scale), float(parameters.rope_freq_base) or shape.theta, length, shape)
