"""ExLlamav3 is handed the scaling where it reads config.json, and its layers' frequencies are read back.

The real package runs up to its tables where it can be imported; its compiled module, which needs CUDA, is stood in for.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.mechanisms import LOADER_SETTING, NONE
from extensions.airoboros_longctx.host.webui.loader_settings import families
from extensions.airoboros_longctx.host.webui.loader_settings.families import prepare
from extensions.airoboros_longctx.host.webui.loader_settings.load import Load
from tests.unit.host.test_loader_settings import plan

LINEAR_4 = plan("ExLlamav3", LOADER_SETTING)
HEAD_DIM = 64


def frequencies(base: float, dimension: int = HEAD_DIM, factor: float = 1.0) -> list[float]:
    return [base ** (-2 * index / dimension) / factor for index in range(dimension // 2)]


class FakeConfig:
    """As much of exllamav3.Config as a load uses."""

    @staticmethod
    def from_directory(directory: str, **kwargs: Any) -> Any:
        settings = SimpleNamespace(
            head_dim=HEAD_DIM, rotary_dim=None, partial_rotary_factor=1.0, rope_theta=10000.0, rope_scaling=None
        )
        return SimpleNamespace(directory=directory, kwargs=kwargs, rope_settings=settings)


@pytest.fixture
def configuration(monkeypatch: pytest.MonkeyPatch) -> type[FakeConfig]:
    package = ModuleType("exllamav3")
    own = type("Config", (), {"from_directory": staticmethod(FakeConfig.from_directory)})
    package.Config = own
    monkeypatch.setitem(sys.modules, "exllamav3", package)
    return own


def test_the_planned_models_configuration_states_the_scaling_while_it_loads(configuration, tmp_path) -> None:
    stock = vars(configuration)["from_directory"]
    undo = prepare(Load(LINEAR_4, SimpleNamespace(), tmp_path / "model"))
    found = configuration.from_directory(str(tmp_path / "x" / ".." / "model"), load_method="mt")
    assert found.rope_settings.rope_scaling == {"rope_type": "linear", "type": "linear", "factor": 4.0}
    assert found.kwargs == {"load_method": "mt"}
    draft = configuration.from_directory(str(tmp_path / "draft model"))
    assert draft.rope_settings.rope_scaling is None
    undo()
    assert vars(configuration)["from_directory"] is stock
    assert configuration.from_directory(str(tmp_path / "model")).rope_settings.rope_scaling is None


def test_ntk_is_another_base(configuration, tmp_path) -> None:
    undo = prepare(Load(plan("ExLlamav3", LOADER_SETTING, "ntk", 8.0), SimpleNamespace(), tmp_path))
    settings = configuration.from_directory(str(tmp_path)).rope_settings
    assert settings.rope_theta == pytest.approx(10000.0 * 8.0 ** (64 / 62), rel=1e-12)
    assert settings.rope_scaling is None
    undo()


def test_somebody_elses_later_patch_stays(configuration, tmp_path) -> None:
    undo = prepare(Load(LINEAR_4, SimpleNamespace(), tmp_path))
    theirs = staticmethod(lambda directory: "theirs")
    configuration.from_directory = theirs
    undo()
    assert vars(configuration)["from_directory"] is theirs


def test_without_the_package_or_a_plan_nothing_happens(configuration, tmp_path, monkeypatch) -> None:
    stock = vars(configuration)["from_directory"]
    prepare(Load(plan("ExLlamav3", NONE, factor=1.0), SimpleNamespace(), tmp_path))
    assert vars(configuration)["from_directory"] is stock
    monkeypatch.setitem(sys.modules, "exllamav3", None)
    prepare(Load(LINEAR_4, SimpleNamespace(), tmp_path))()


def live(*tables: list[float], base: float = 10000.0, holder: str = "model") -> Any:
    ropes = [SimpleNamespace(inv_freq=table, rope_settings=SimpleNamespace(rope_theta=base)) for table in tables]
    modules = [SimpleNamespace(), *(SimpleNamespace(rope=rope) for rope in ropes), SimpleNamespace(rope=None)]
    return SimpleNamespace(**{holder: modules}, max_tokens=8192)


@pytest.mark.parametrize("holder", ["model", "ex_model"])
@pytest.mark.parametrize("factor", [1.0, 4.0, 1.7])
def test_the_frequencies_of_every_layer_are_read_back(holder: str, factor: float) -> None:
    table = frequencies(10000.0, factor=factor)
    found = families.read("ExLlamav3_HF", live(table, table, holder=holder), Path())
    assert found is not None
    assert (found.rope_type, found.factor) == ("default" if factor == 1 else "linear", factor)
    assert (found.modules, found.head_dim, found.table_length) == (2, HEAD_DIM, 8192)


def test_what_is_no_linear_scaling_is_said() -> None:
    differing = families.read("ExLlamav3", live(frequencies(10000.0), frequencies(10000.0, factor=4.0)), Path())
    other = families.read("ExLlamav3", live(frequencies(20000.0)), Path())
    for found in (differing, other):
        assert found is not None
        assert (found.rope_type, found.factor) == ("other", None)
    assert families.read("ExLlamav3", SimpleNamespace(model=None), Path()) is None


# -- the real package ------------------------------------------------------------------------------------------------


class Compiled(ModuleType):
    """In place of a compiled module: every function is there and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


@pytest.fixture
def exllamav3(monkeypatch: pytest.MonkeyPatch) -> Any:
    if importlib.util.find_spec("exllamav3") is None:
        pytest.skip("exllamav3 is not installed")
    extension = Compiled("exllamav3.ext")
    extension.exllamav3_ext = Compiled("exllamav3_ext")
    monkeypatch.setitem(sys.modules, "exllamav3.ext", extension)
    for name in ("exllamav3.generator", "exllamav3.generator.sampler"):  # nothing is generated
        monkeypatch.setitem(sys.modules, name, Compiled(name))
    if importlib.util.find_spec("flash_attn") is None:
        monkeypatch.setitem(sys.modules, "flash_attn", Compiled("flash_attn"))
    return importlib.import_module("exllamav3")


def test_the_real_tables_are_scaled(exllamav3: Any, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    save_file = pytest.importorskip("safetensors.torch").save_file
    rope = importlib.import_module("exllamav3.util.rope").RoPE
    config = {"architectures": ["LlamaForCausalLM"], "hidden_size": 128, "num_attention_heads": 2, "vocab_size": 8}
    config.update(intermediate_size=128, num_hidden_layers=2, rms_norm_eps=1e-6, max_position_embeddings=2048)
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file({"model.embed_tokens.weight": torch.zeros(8, 128)}, tmp_path / "model.safetensors")
    before = (tmp_path / "config.json").read_bytes()

    def built() -> Any:
        model = exllamav3.Model.from_config(exllamav3.Config.from_directory(str(tmp_path)))
        for module in model:
            if getattr(module, "rope_settings", None) is not None:
                module.rope = rope("cpu", module.rope_settings)  # as Attention does when its weights are loaded
        return SimpleNamespace(model=model, max_tokens=8192)

    undo = prepare(Load(LINEAR_4, SimpleNamespace(), tmp_path))
    scaled = built()
    undo()
    plain = built()
    found = [families.read("ExLlamav3", model, tmp_path) for model in (scaled, plain)]
    assert [(reading.factor, reading.modules) for reading in found if reading is not None] == [(4.0, 2), (1.0, 2)]
    tables = [next(module.rope for module in model.model if getattr(module, "rope", None)) for model in (scaled, plain)]
    positions = torch.arange(8192)
    sines = [table.compute_sincos(positions)[0] for table in tables]
    assert torch.equal(sines[0], tables[1].compute_sincos(positions / 4)[0])
    assert not torch.equal(*sines)
    assert (tmp_path / "config.json").read_bytes() == before
