from __future__ import annotations

from typing import Any

import pytest

from tests.unit.prefix_cache.kept_llama import Kept, tiny_llama


@pytest.fixture
def model() -> Any:
    return tiny_llama()


@pytest.fixture
def kept(model: Any) -> Kept:
    return Kept(model)
