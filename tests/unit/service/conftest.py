"""A service between a fake host and a fake rope, and a way to load models through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from extensions.airoboros_longctx.core.load_status import LoadStatus
from extensions.airoboros_longctx.core.ports import LoadedModel
from extensions.airoboros_longctx.core.settings import Settings
from extensions.airoboros_longctx.service import LongContextService
from tests.unit.service.fakes import FakeHost, FakeModel, FakeRope

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 2048,
}
CARD = "You'll need to set max_seq_len to 8192 and compress_pos_emb to 4."


class House:
    """One host with three models: ``scaled`` states ×4, ``plain`` nothing, ``llama-7b-16k`` only by its name."""

    def __init__(self, folder: Path) -> None:
        self.host, self.rope, self.chosen = FakeHost(folder), FakeRope(), Settings()
        self.service = LongContextService(self.host, self.rope, lambda: self.chosen)
        for name, card in (("scaled", CARD), ("plain", ""), ("llama-7b-16k", "")):
            self.add_model(name, card)

    def add_model(self, name: str, card: str = "", **config: Any) -> None:
        folder = self.host.folder / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({**LLAMA, **config}))
        (folder / "model.safetensors").write_bytes(b"\0")
        if card:
            (folder / "README.md").write_text(card)

    def load(self, name: str, loader: str = "Transformers", runs: float | None = None) -> LoadStatus:
        """Load ``name`` as a host does, through the service; ``runs`` overrides what the model then runs."""
        self.host.loaded = None
        pending = self.service.before_load(name, loader)
        factor = self.host.knob if loader == "ExLlama" else self.rope.patched
        model = FakeModel(factor if runs is None else runs)
        self.service.end_of_load(pending)
        status = self.service.after_load(pending, model)
        self.host.loaded = LoadedModel(name, loader, model)
        return status

    def hold(self, name: str, runs: float | None = 1.0, loader: str = "Transformers") -> FakeModel:
        """The host loads ``name`` without the service hearing of it."""
        model = FakeModel(runs)
        self.host.loaded = LoadedModel(name, loader, model)
        return model


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)
