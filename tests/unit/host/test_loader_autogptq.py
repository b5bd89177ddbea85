"""The buffer of AutoGPTQ's exllama kernel: enlarged where long prompts would fail, and only there."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.mechanisms import PATCH
from extensions.airoboros_longctx.host.webui.loader_settings import families
from extensions.airoboros_longctx.host.webui.loader_settings.load import Load
from tests.unit.host.test_loader_settings import plan

FROM_THE_START = 2048


class Model:
    """As much of AutoGPTQ's model as the step looks at."""

    def __init__(self, kernel: str = "exllama", desc_act: bool = True, tokens: int = FROM_THE_START) -> None:
        self.quantize_config = SimpleNamespace(desc_act=desc_act)
        self.device_to_buffers = {"cuda:0": {"temp_state": SimpleNamespace(shape=(tokens, 17920))}}
        self.modules = [("", self), ("model.layers.0.q_proj", SimpleNamespace(QUANT_TYPE=kernel))]

    def named_modules(self) -> list[tuple[str, Any]]:
        return self.modules


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, int]]:
    made: list[tuple[Any, int]] = []
    package = ModuleType("auto_gptq")

    def exllama_set_max_input_length(model: Any, tokens: int) -> None:
        made.append((model, tokens))
        model.device_to_buffers["cuda:0"]["temp_state"].shape = (tokens, 17920)

    package.exllama_set_max_input_length = exllama_set_max_input_length
    monkeypatch.setitem(sys.modules, "auto_gptq", package)
    return made


def finish(model: Any, tokens: int = 16384) -> tuple[str, ...]:
    planned = plan("AutoGPTQ", PATCH, factor=8.0, truncation_length=tokens)
    return families.finish(Load(planned, SimpleNamespace(), Path()), model)


def test_long_prompts_get_room_once(calls: list[tuple[Any, int]]) -> None:
    model = Model()
    assert finish(model) == ()
    assert finish(model) == ()
    assert calls == [(model, 16384)]


@pytest.mark.parametrize(
    "model",
    [
        Model(kernel="exllamav2"),
        Model(kernel="cuda-old"),
        Model(desc_act=False),
        Model(tokens=16384),
        object(),
        SimpleNamespace(device_to_buffers=None),
    ],
    ids=["exllamav2", "cuda", "plain order", "room enough", "another model", "no buffers"],
)
def test_nothing_is_done_elsewhere(calls: list[tuple[Any, int]], model: Any) -> None:
    assert finish(model) == ()
    assert calls == []


def test_a_window_that_fits_needs_nothing(calls: list[tuple[Any, int]]) -> None:
    assert finish(Model(), FROM_THE_START) == ()
    assert calls == []


def test_a_failure_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("auto_gptq")

    def fails(model: Any, tokens: int) -> None:
        raise RuntimeError("out of memory")

    package.exllama_set_max_input_length = fails
    monkeypatch.setitem(sys.modules, "auto_gptq", package)
    assert finish(Model()) == (
        "Prompts of more than 2048 tokens will fail: the buffer of AutoGPTQ's exllama kernel could not be made for"
        " 16384 tokens (RuntimeError: out of memory). Load the model with disable_exllama on.",
    )
