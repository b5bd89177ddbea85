from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers.models.llama import modeling_llama

from tests.unit.rope.tiny_llama import save_tiny_llama

torch.set_num_threads(1)
LIBRARY_CLASS = modeling_llama.LlamaRotaryEmbedding


@pytest.fixture(scope="session", params=[4, 2], ids=["mha", "gqa"])
def any_checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"), request.param)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"), 2)


@pytest.fixture(autouse=True)
def _library_is_as_it_was() -> Iterator[None]:
    yield
    left = modeling_llama.LlamaRotaryEmbedding, [name for name in vars(modeling_llama) if "airoboros" in name]
    modeling_llama.LlamaRotaryEmbedding = LIBRARY_CLASS
    for name in left[1]:
        delattr(modeling_llama, name)
    assert left == (LIBRARY_CLASS, []), "a test left its patch behind"
