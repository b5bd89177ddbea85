"""What each loader is told for a load, and that nothing of it is left afterwards."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.context_plan import ContextPlan
from extensions.airoboros_longctx.core.mechanisms import LOADER_SETTING, MODEL_CONFIG, NONE, PATCH
from extensions.airoboros_longctx.host.webui.loader_settings import families
from extensions.airoboros_longctx.host.webui.loader_settings.families import FAMILIES, mechanism_of, prepare
from extensions.airoboros_longctx.host.webui.loader_settings.load import Load, one_after_the_other, set_attributes
from extensions.airoboros_longctx.host.webui.seams import LOAD, SEAMS

YEAR_2023 = {"compress_pos_emb": 1, "alpha_value": 1, "rope_freq_base": 0, "checkpoint": None}
YEAR_2024 = {"compress_pos_emb": 1, "alpha_value": 1.0, "rope_freq_base": 0}
YEAR_2026 = {"extra_flags": None, "ctx_size": 0, "parallel": 1}


def plan(loader: str, mechanism: str, rope_type: str = "linear", factor: float = 4.0, **more: Any) -> ContextPlan:
    values = {
        "model": "some-llama",
        "rope_type": rope_type,
        "factor": factor,
        "original_max_position_embeddings": 2048,
        "max_position_embeddings": 8192,
        "truncation_length": 8192,
        "loader": loader,
        "mechanism": mechanism,
        "instruction_template": None,
        "plainformat_separator": None,
        "stop": (),
    }
    return ContextPlan(**{**values, **more})


def load(planned: ContextPlan, path: Path = Path("nowhere"), **args: Any) -> Load:
    return Load(planned, SimpleNamespace(**args), path)


def told(planned: ContextPlan, args: dict[str, Any], path: Path = Path("nowhere")) -> dict[str, Any]:
    """The arguments during the load that are not as the user had them; afterwards all are."""
    one = load(planned, path, **args)
    undo = prepare(one)
    during = {key: value for key, value in vars(one.args).items() if value != args[key]}
    undo()
    undo()
    assert vars(one.args) == args
    return during


@pytest.mark.parametrize("loader", ["ExLlama", "ExLlama_HF", "ExLlamav2", "ExLlamav2_HF", "llama.cpp", "llamacpp_HF"])
def test_linear_is_compress_pos_emb(loader: str) -> None:
    assert told(plan(loader, LOADER_SETTING), YEAR_2023) == {"compress_pos_emb": 4}
    assert told(plan(loader, LOADER_SETTING, factor=2.5), YEAR_2024) == {"compress_pos_emb": 2.5}


@pytest.mark.parametrize("loader", ["ExLlama", "ExLlamav2"])
def test_ntk_is_alpha_value_without_a_base_beside_it(loader: str) -> None:
    """In v1.7 a base from config.json makes alpha_value void."""
    args = {**YEAR_2023, "rope_freq_base": 10000}
    assert told(plan(loader, LOADER_SETTING, "ntk", 8.0), args) == {"alpha_value": 8, "rope_freq_base": 0}


def test_ntk_for_llama_cpp_is_the_base() -> None:
    # 10000 × 8 ** (64 / 63), rounded: the argument is a whole number.
    assert told(plan("llama.cpp", LOADER_SETTING, "ntk", 8.0), YEAR_2024) == {"rope_freq_base": 82685}
    oldest = {"compress_pos_emb": 1, "alpha_value": 1}
    assert told(plan("llama.cpp", LOADER_SETTING, "ntk", 8.0), oldest) == {"alpha_value": 8}


def test_the_base_of_a_model_that_says_its_own_and_its_heads(tmp_path: Path) -> None:
    config = {"model_type": "llama", "hidden_size": 256, "num_attention_heads": 8, "rope_theta": 50000.0}
    (tmp_path / "config.json").write_text(json.dumps(config))
    # 50000 × 8 ** (32 / 30), by hand: 8 ** (1 / 15) = 1.148698
    expected = {"rope_freq_base": 459479}
    assert told(plan("llama.cpp", LOADER_SETTING, "ntk", 8.0), YEAR_2024, tmp_path) == expected
    flags = told(plan("llama.cpp", LOADER_SETTING, "ntk", 8.0), YEAR_2026, tmp_path)
    assert flags == {"extra_flags": "rope-freq-base=459479"}


def test_the_other_knob_is_neutral_and_nothing_is_stacked() -> None:
    args = {**YEAR_2023, "compress_pos_emb": 2, "alpha_value": 3}
    assert told(plan("ExLlama", LOADER_SETTING), args) == {"compress_pos_emb": 4, "alpha_value": 1}
    args = {**YEAR_2023, "compress_pos_emb": 2}
    assert told(plan("ExLlama", LOADER_SETTING, "ntk", 8.0), args) == {"compress_pos_emb": 1, "alpha_value": 8}


@pytest.mark.parametrize("mechanism", [PATCH, MODEL_CONFIG])
def test_transformers_does_not_scale_once_more(mechanism: str) -> None:
    args = {**YEAR_2024, "compress_pos_emb": 4, "alpha_value": 2.0}
    assert told(plan("Transformers", mechanism), args) == {"compress_pos_emb": 1, "alpha_value": 1}


@pytest.mark.parametrize(("mechanism", "factor"), [(NONE, 4.0), (NONE, 1.0), (PATCH, 1.0), ("remote_code", 4.0)])
def test_a_load_that_is_not_ours_keeps_the_users_arguments(mechanism: str, factor: float) -> None:
    args = {**YEAR_2023, "compress_pos_emb": 2, "alpha_value": 3}
    assert told(plan("Transformers", mechanism, factor=factor), args) == {}


def test_a_gguf_that_states_its_own_factor_keeps_it() -> None:
    """The Python binding hands 1.0 over where the argument is 1, which would replace the file's own."""
    assert told(plan("llama.cpp", MODEL_CONFIG), YEAR_2023) == {"compress_pos_emb": 4}
    assert told(plan("llama.cpp", MODEL_CONFIG), YEAR_2026) == {}


def test_llama_server_without_arguments_for_it() -> None:
    assert told(plan("llama.cpp", LOADER_SETTING), YEAR_2026) == {"extra_flags": "rope-scaling=linear,rope-scale=4"}
    several = told(plan("llama.cpp", LOADER_SETTING), {**YEAR_2026, "parallel": 3})
    assert several == {"extra_flags": "rope-scaling=linear,rope-scale=4", "ctx_size": 24576}


def test_a_context_that_the_user_gave_is_the_sum_of_all_slots() -> None:
    one = Load(
        plan("llama.cpp", LOADER_SETTING), SimpleNamespace(**{**YEAR_2026, "parallel": 3}), Path(), ("ctx_size",)
    )
    undo = prepare(one)
    assert one.args.ctx_size == 0
    undo()


def test_awq_without_its_fused_attention() -> None:
    args = {"no_inject_fused_attention": False}
    assert told(plan("AutoAWQ", PATCH), args) == {"no_inject_fused_attention": True}
    assert told(plan("AutoAWQ", NONE, factor=1.0), args) == {}


# -- several weight files --------------------------------------------------------------------------------------------


@pytest.fixture
def two_files(tmp_path: Path) -> Path:
    for name in ("a.safetensors", "b.safetensors"):
        (tmp_path / name).write_bytes(b"\0")
    return tmp_path


@pytest.mark.parametrize("loader", ["AutoGPTQ", "GPTQ-for-LLaMa"])
@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_the_planned_weight_file_is_the_checkpoint(two_files: Path, loader: str, factor: float) -> None:
    planned = plan(loader, PATCH, factor=factor, weight_file="a.safetensors")
    assert told(planned, YEAR_2023, two_files) == {"checkpoint": str(two_files / "a.safetensors")}
    assert told(planned, {**YEAR_2023, "checkpoint": "mine.pt"}, two_files) == {}
    assert told(plan(loader, PATCH, factor=factor, weight_file="gone.safetensors"), YEAR_2023, two_files) == {}


@pytest.mark.parametrize(("loader", "module"), [("ExLlama", "modules.exllama"), ("ExLlama_HF", "modules.exllama_hf")])
def test_exllama_builds_from_the_planned_weight_file(two_files, loader, module, monkeypatch) -> None:
    webui = ModuleType(module)
    stock = webui.ExLlama = lambda config: config.model_path
    monkeypatch.setitem(sys.modules, "modules", ModuleType("modules"))
    monkeypatch.setitem(sys.modules, module, webui)
    undo = prepare(load(plan(loader, NONE, factor=1.0, weight_file="a.safetensors"), two_files))
    assert webui.ExLlama(SimpleNamespace(model_path="the last one found")) == str(two_files / "a.safetensors")
    undo()
    assert webui.ExLlama is stock
    prepare(load(plan(loader, NONE, factor=1.0), two_files))
    assert webui.ExLlama is stock


def test_exllama_that_cannot_be_imported_is_left_to_say_so_itself(two_files, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "modules.exllama", None)
    prepare(load(plan("ExLlama", NONE, factor=1.0, weight_file="a.safetensors"), two_files))()


# -- the way back ----------------------------------------------------------------------------------------------------


def test_what_somebody_else_set_meanwhile_stays() -> None:
    place = SimpleNamespace(knob=1, other=1)
    undo = set_attributes(place, {"knob": 4, "other": 4, "not there": 4})
    place.knob = 7
    undo()
    assert vars(place) == {"knob": 7, "other": 1}


def test_steps_are_taken_back_in_reverse_and_when_one_fails() -> None:
    done: list[str] = []

    def step(name: str) -> Any:
        done.append(name)
        return lambda: done.append(f"undo {name}")

    undo = one_after_the_other(lambda name=name: step(name) for name in "ab")
    undo()
    undo()
    assert done == ["a", "b", "undo b", "undo a"]
    done.clear()

    def broken() -> Any:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        one_after_the_other([lambda: step("a"), broken])
    assert done == ["a", "undo a"]


# -- the table -------------------------------------------------------------------------------------------------------


def test_every_loader_that_is_wrapped_has_its_row() -> None:
    wrapped = {seam.loader for seam in SEAMS if seam.duty == LOAD}
    in_table = [loader for family in FAMILIES for loader in family.loaders]
    assert len(in_table) == len(set(in_table))
    assert wrapped == set(in_table)


@pytest.mark.parametrize(
    ("loader", "args", "mechanism"),
    [
        ("ExLlama", YEAR_2023, LOADER_SETTING),
        ("llama.cpp", YEAR_2024, LOADER_SETTING),
        ("llama.cpp", YEAR_2026, LOADER_SETTING),
        ("llama.cpp", {}, NONE),
        ("ExLlamav2", {}, NONE),
        ("ExLlamav3_HF", YEAR_2026, LOADER_SETTING),
        ("Transformers", YEAR_2026, PATCH),
        ("HQQ", YEAR_2024, PATCH),
        ("ctransformers", YEAR_2023, NONE),
        ("TensorRT-LLM", YEAR_2026, NONE),
        ("a loader of tomorrow", YEAR_2026, NONE),
    ],
)
def test_how_a_release_scales_a_loader(loader: str, args: dict[str, Any], mechanism: str) -> None:
    assert mechanism_of(loader, SimpleNamespace(**args)) == mechanism


def test_a_loader_of_tomorrow_is_left_alone() -> None:
    assert told(plan("a loader of tomorrow", NONE), YEAR_2024) == {}
    assert families.read("a loader of tomorrow", object(), Path()) is None
