"""Broken and hostile model folders: a sentence each, never an exception, and always a plan."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.known_hosts import known_capabilities
from extensions.airoboros_longctx.core.model_facts import ModelFacts
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.folder_files import CARD_BYTES
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .conftest import ModelFolder

WORKBENCH = known_capabilities("workbench")


def _plans(facts: ModelFacts, capabilities: Capabilities = WORKBENCH) -> None:
    plan = plan_context(facts, capabilities)
    assert plan.factor >= 1
    assert plan.truncation_length >= 1
    assert plan.loader


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "config.json is not valid JSON"),
        (b"", "config.json is not valid JSON"),
        (b"[1, 2]", "config.json holds a list where a JSON object was expected"),
        (b"\xff\xfe\x00\x01", "config.json is not valid JSON"),
        (b"[" * 100_000, "config.json is "),
        (b'{"max_position_embeddings": ' + b"9" * 10_000 + b"}", "config.json"),
        (b'{"a": "' + b"x" * (5 << 20) + b'"}', "config.json is larger than 4 MiB"),
    ],
    ids=["cut off", "empty", "list", "binary", "nested", "long number", "large"],
)
def test_a_broken_config(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "config.json").write_bytes(content)
    facts = read_model_facts(tmp_path)
    assert any(sentence.startswith(problem) for sentence in facts.problems), facts.problems
    assert set(facts.problems) <= set(plan_context(facts, WORKBENCH).warnings)
    _plans(facts)


def test_a_directory_named_config_json(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    (tmp_path / "README.md").mkdir()
    facts = read_model_facts(tmp_path)
    assert "config.json is not a plain file; it is not used." in facts.problems
    assert "README.md is not a plain file; the model card is not used." in facts.problems
    _plans(facts)


def test_an_empty_folder_has_an_honest_plan(tmp_path: Path) -> None:
    plan = plan_context(read_model_facts(tmp_path), WORKBENCH)
    assert (plan.factor, plan.mechanism, plan.max_position_embeddings) == (1, "none", 2048)
    reason = plan.reason_for("original_max_position_embeddings")
    assert reason is not None
    assert reason.because == "nothing states a window; 2048 is assumed"
    assert any("There is no config.json" in warning for warning in plan.warnings)


def test_an_unreadable_card(model_folder: ModelFolder) -> None:
    folder = model_folder(card="")
    (folder / "README.md").write_bytes(b"\xff\xfeset max_seq_len to 8192 and compress_pos_emb to 4\x00\xff")
    assert read_model_facts(folder).card_scaling is not None
    (folder / "README.md").write_bytes(b"x" * (CARD_BYTES + 10))
    facts = read_model_facts(folder)
    assert facts.problems == ("README.md is larger than 1 MiB; only its beginning was read.",)
    assert len(facts.card_text) == CARD_BYTES


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are files of their own on Windows")
def test_a_pipe_is_never_waited_for(model_folder: ModelFolder) -> None:
    folder = model_folder()
    os.mkfifo(folder / "README.md")
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    assert len(read_model_facts(folder).problems) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "config.json").symlink_to(tmp_path / "config.json")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "nowhere")
    _plans(read_model_facts(tmp_path))


def test_an_unknown_architecture_is_left_alone(model_folder: ModelFolder) -> None:
    plan = plan_context(read_model_facts(model_folder("m", config={"model_type": "mamba"})), WORKBENCH)
    assert (plan.factor, plan.mechanism) == (1, "none")
    assert "This is a mamba model, no Llama: it is left alone." in plan.warnings


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CONFIG_KEYS = (
    "model_type architectures hidden_size num_hidden_layers num_attention_heads num_key_value_heads head_dim"
    " max_position_embeddings rope_theta torch_dtype auto_map quantization_config original_max_position_embeddings"
).split()
SCALING = JSON | st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["linear", "yarn", "llama3", "su", "default"]) | JSON,
        "rope_type": st.sampled_from(["linear", "dynamic", "longrope"]) | JSON,
        "factor": st.floats() | st.integers() | JSON,
        "original_max_position_embeddings": st.integers() | JSON,
        "rope_theta": JSON,
    },
)


@given(
    config=st.dictionaries(st.sampled_from(CONFIG_KEYS), JSON),
    scaling=SCALING,
    parameters=SCALING,
    quantize=st.dictionaries(st.sampled_from(["bits", "group_size", "desc_act", "quant_method"]), JSON),
)
def test_any_json_in_any_field_still_gives_a_plan(
    tmp_path_factory: pytest.TempPathFactory, config: Any, scaling: Any, parameters: Any, quantize: Any
) -> None:
    folder = tmp_path_factory.mktemp("hostile")
    everything = {**config, "rope_scaling": scaling, "rope_parameters": parameters}
    (folder / "config.json").write_text(json.dumps(everything), encoding="utf-8")
    (folder / "quantize_config.json").write_text(json.dumps(quantize), encoding="utf-8")
    _plans(read_model_facts(folder))
    _plans(read_model_facts(folder), known_capabilities("webui-v1.7"))


def test_a_folder_of_ten_thousand_split_files(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"m{number}-00001-of-00002.gguf").touch()
    facts = read_model_facts(tmp_path)
    assert len(facts.weight_files) == 10_000
    assert len(facts.problems) < 20
    _plans(facts)
