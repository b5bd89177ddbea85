"""Model folders by their contents: small files, weights of one byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

LLAMA_33B = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 6656,
    "num_hidden_layers": 60,
    "num_attention_heads": 52,
    "max_position_embeddings": 2048,
    "torch_dtype": "float16",
}

ModelFolder = Callable[..., Path]


@pytest.fixture
def model_folder(tmp_path: Path) -> ModelFolder:
    """``model_folder(name, config, quantize_config, card, files)`` → the folder. ``config`` goes over LLAMA_33B."""

    def create(
        name: str = "model",
        config: dict[str, Any] | None = None,
        quantize_config: dict[str, Any] | None = None,
        card: str | None = None,
        files: Iterable[str] = ("model.safetensors",),
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        stated = {key: value for key, value in {**LLAMA_33B, **(config or {})}.items() if value is not None}
        (folder / "config.json").write_text(json.dumps(stated), encoding="utf-8")
        if quantize_config is not None:
            (folder / "quantize_config.json").write_text(json.dumps(quantize_config), encoding="utf-8")
        if card is not None:
            (folder / "README.md").write_text(card, encoding="utf-8")
        for file in files:
            (folder / file).write_bytes(b"\0")
        return folder

    return create
