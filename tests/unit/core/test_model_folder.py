"""What a model folder says about itself, in every spelling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from extensions.airoboros_longctx.core.errors import ModelFolderError
from extensions.airoboros_longctx.core.known_hosts import known_capabilities
from extensions.airoboros_longctx.core.model_facts import Quantization
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_config import config_facts, quantization
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .conftest import ModelFolder
from .gguf_files import LLAMA_GGUF, write_gguf


def test_a_whole_folder_is_read(model_folder: ModelFolder) -> None:
    folder = model_folder(
        "bhenrym14_airoboros-33b-gpt4-1.4.1-PI-8192-GPTQ",
        quantize_config={"bits": 4, "group_size": 128, "desc_act": True},
        card="You'll need to set max_seq_len to 8192 and compress_pos_emb to 4.",
        files=["model-4bit-128g.safetensors", "tokenizer.model", "tokenizer_config.json", "training_args.bin"],
    )
    facts = read_model_facts(folder)
    assert facts.problems == ()
    assert (facts.organization, facts.model) == ("bhenrym14", "airoboros-33b-gpt4-1.4.1-PI-8192-GPTQ")
    assert (facts.model_type, facts.is_llama, facts.num_hidden_layers) == ("llama", True, 60)
    assert facts.quantization == Quantization("gptq", 4, 128, True, "quantize_config.json")
    assert [(file.name, file.size_bytes) for file in facts.weight_files] == [("model-4bit-128g.safetensors", 1)]
    assert facts.weight_format == "gptq"
    assert facts.tokenizer_files == ("tokenizer.model", "tokenizer_config.json")
    assert facts.card_scaling is not None
    assert facts.config_scaling is None


def _scaling(config: dict[str, Any]) -> tuple[str, float | None, int | None, int | None] | None:
    problems: list[str] = []
    stated = config_facts({"max_position_embeddings": 4096, **config}, problems)["config_scaling"]
    assert problems == []
    if stated is None:
        return None
    return stated.rope_type, stated.factor, stated.original_max_position_embeddings, stated.max_position_embeddings


@pytest.mark.parametrize(
    ("config", "stated"),
    [
        ({"rope_scaling": {"type": "linear", "factor": 4.0}}, ("linear", 4.0, None, None)),
        ({"rope_scaling": {"rope_type": "linear", "factor": 4}}, ("linear", 4.0, None, None)),
        ({"rope_scaling": {"type": "linear", "rope_type": "linear", "factor": 2.0}}, ("linear", 2.0, None, None)),
        ({"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}, ("linear", 4.0, None, None)),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}, None),
        ({"rope_scaling": None}, None),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, ("dynamic", 2.0, None, 8192)),
        (
            {"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096}},
            ("yarn", 4.0, 4096, 16384),
        ),
        (
            {
                "max_position_embeddings": 131072,
                "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192},
            },
            ("llama3", 8.0, 8192, 131072),
        ),
        (
            {
                "max_position_embeddings": 131072,
                "original_max_position_embeddings": 4096,
                "rope_scaling": {"type": "su", "long_factor": [1.0], "short_factor": [1.0]},
            },
            ("longrope", None, 4096, 131072),
        ),
        ({"rope_scaling": {"type": "something-new", "factor": 2.0}}, ("something-new", 2.0, None, 8192)),
    ],
)
def test_every_spelling_of_a_stated_scaling(config: dict[str, Any], stated: object) -> None:
    assert _scaling(config) == stated


def test_the_base_frequency_is_read_in_both_places() -> None:
    assert config_facts({"rope_theta": 1e6}, [])["rope_theta"] == 1e6
    assert config_facts({"rope_parameters": {"rope_theta": 5e5}}, [])["rope_theta"] == 5e5


@pytest.mark.parametrize(
    ("scaling", "problem"),
    [
        ("linear", "config.json: rope_scaling is 'linear'; an object was expected."),
        ({"type": "linear"}, "config.json rope_scaling: linear scaling without a usable factor; it is not used."),
        (
            {"type": "linear", "factor": "four"},
            "config.json rope_scaling: factor is 'four'; a number from 1 to 1024 was expected.",
        ),
        (
            {"type": "linear", "factor": 0.25},
            "config.json rope_scaling: factor is 0.25; a number from 1 to 1024 was expected.",
        ),
        ({"factor": 4.0}, "config.json rope_scaling: a factor without a method (rope_type) is not used."),
        ({"type": 7, "factor": 4.0}, "config.json rope_scaling: type is 7; a text was expected."),
        (
            {"type": "yarn", "rope_type": "linear", "factor": 4.0},
            "config.json rope_scaling: rope_type 'linear' and type 'yarn' contradict each other; rope_type is taken.",
        ),
    ],
)
def test_a_malformed_scaling_is_a_sentence(scaling: object, problem: str) -> None:
    problems: list[str] = []
    config_facts({"rope_scaling": scaling}, problems)
    assert problem in problems


def test_two_spellings_that_disagree_are_named() -> None:
    problems: list[str] = []
    config = {
        "rope_scaling": {"type": "linear", "factor": 4.0},
        "rope_parameters": {"rope_type": "linear", "factor": 8.0},
    }
    assert config_facts(config, problems)["config_scaling"].factor == 4.0
    assert problems == ["config.json: rope_scaling and rope_parameters contradict each other; rope_scaling is taken."]


@pytest.mark.parametrize(
    ("values", "method", "expected"),
    [
        ({"bits": 4, "group_size": 128, "desc_act": True}, "gptq", ("gptq", 4, 128, True)),
        ({"bits": 3, "group_size": -1, "desc_act": False}, "gptq", ("gptq", 3, -1, False)),
        ({"quant_method": "gptq", "bits": 4}, "", ("gptq", 4, None, None)),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "", ("awq", 4, 128, None)),
        ({"bits": 4, "group_size": 32}, "", ("gptq", 4, 32, None)),
        ({"quant_method": "exl2", "bits": 4.65}, "", ("exl2", 4, None, None)),
        ({"zero_point": True, "w_bit": 4}, "awq", ("awq", None, None, None)),
    ],
)
def test_quantisations(values: dict[str, Any], method: str, expected: tuple[object, ...]) -> None:
    found = quantization(values, "source", [], method)
    assert found is not None
    assert (found.method, found.bits, found.group_size, found.desc_act) == expected


@pytest.mark.parametrize(
    ("name", "files", "form"),
    [
        ("llama-7b", ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], "fp16"),
        ("llama-7b", ["pytorch_model.bin"], "fp16"),
        ("llama-7b-GPTQ", ["model.safetensors"], "gptq"),
        ("llama-7b", ["llama-7b-4bit-128g.pt"], "gptq"),
        ("llama-7b-AWQ", ["model.safetensors"], "awq"),
        ("llama-7b-exl2", ["output.safetensors"], "exl2"),
        ("llama-7b", ["llama-7b.Q4_K_M.gguf"], "gguf"),
        ("llama-7b", ["llama-7b.ggmlv3.q4_0.bin"], "ggml"),
        ("llama-7b", ["adapter_model.bin", "optimizer.pt", "training_args.bin"], None),
        ("llama-7b", [], None),
    ],
)
def test_weight_formats(model_folder: ModelFolder, name: str, files: list[str], form: str | None) -> None:
    assert read_model_facts(model_folder(name, files=files)).weight_format == form


def test_gptq_parameters_from_the_names_alone(model_folder: ModelFolder) -> None:
    folder = model_folder("airoboros-7B-gpt4-1.2-GPTQ", files=["airoboros-7b-GPTQ-4bit-128g.no-act-order.safetensors"])
    found = read_model_facts(folder).quantization
    assert found is not None
    assert (found.bits, found.group_size, found.desc_act) == (4, 128, False)


def test_a_gguf_file_is_a_model(tmp_path: Path) -> None:
    file = tmp_path / "airoboros-33b-gpt4-1.4.1-PI-8192.Q4_K_M.gguf"
    write_gguf(file, LLAMA_GGUF)
    facts = read_model_facts(file)
    assert (facts.name, facts.weight_format, facts.problems) == (file.stem, "gguf", ())
    plan = plan_context(facts, known_capabilities("webui-v1.7"))
    assert (plan.factor, plan.loader, plan.mechanism, plan.max_position_embeddings) == (
        4,
        "llama.cpp",
        "loader_setting",
        8192,
    )


def test_another_file_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello", encoding="utf-8")
    assert read_model_facts(file).problems == (
        "notes.txt is a single file, but no GGUF or GGML one; a model folder was expected.",
    )


def test_nothing_there_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="nothing is there") as caught:
        read_model_facts(tmp_path / "no-such-model")
    assert "A model folder (with a config.json) or a GGUF file was expected" in str(caught.value)
    with pytest.raises(ModelFolderError):
        read_model_facts(tmp_path / "a\0b")


def test_an_adapter_is_not_a_model(model_folder: ModelFolder) -> None:
    facts = read_model_facts(model_folder("x-LoRA", files=["adapter_model.bin", "adapter_config.json"]))
    assert any("adapter (LoRA)" in problem for problem in facts.problems)
