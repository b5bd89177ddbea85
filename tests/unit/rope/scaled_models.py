"""Tiny Llamas scaled by this extension, by either way, and what is planted in models by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.class_patch import patch_llama_rope
from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling
from tests.unit.rope.tiny_llama import BASE_WINDOW, KEEPS_TABLES, load, rotary_modules

NTK_8 = RopeScaling("ntk", 8, BASE_WINDOW)
BY_PARTS_4 = RopeScaling("ntk_by_parts", 4, BASE_WINDOW)
METHODS = (NTK_8, RopeScaling("ntk", 1.7, BASE_WINDOW), BY_PARTS_4, RopeScaling("ntk_by_parts", 3, BASE_WINDOW))
each_method = pytest.mark.parametrize("scaling", METHODS, ids=str)
each_way = pytest.mark.parametrize("way", ["class", "live"])


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


def plant(module: Any, inv_freq: torch.Tensor) -> None:
    """Give ``module`` other frequencies by hand, wherever its forward takes them from."""
    module._buffers["inv_freq"] = inv_freq
    if KEEPS_TABLES:
        module._set_cos_sin_cache(module.max_seq_len_cached, "cpu", torch.float32)
