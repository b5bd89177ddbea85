"""ExLlamav2 and ExLlamav2_HF: what their model was built with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ....core.rope_scaling import LINEAR, NO_SCALING, NTK, RopeReading
from .llama_server import told
from .rope_shape import LLAMA


def read_config(model: Any, path: Path) -> RopeReading | None:
    """The configuration that the engine made its tables from."""
    engine = getattr(model, "ex_model", None) or getattr(model, "model", None)
    config = getattr(engine, "config", None)
    factor = getattr(config, "scale_pos_emb", None)
    if config is None or factor is None:
        return None
    factor, alpha = float(factor or 1.0), float(getattr(config, "scale_alpha_value", None) or 1.0)
    base, length = float(getattr(config, "rotary_embedding_base", LLAMA.theta)), getattr(config, "max_seq_len", None)
    if alpha != 1.0 and factor != 1.0:
        return told("other", None, base, length, f"linear ×{factor:g} and NTK ×{alpha:g} together")
    if alpha != 1.0:
        return told(NTK, alpha, base, length)
    return told(NO_SCALING if factor == 1.0 else LINEAR, factor, base, length)
