"""GGUF files as models: what is read from them, and what the plan makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.context_plan import ContextPlan, PlanRequest
from extensions.airoboros_longctx.core.known_hosts import known_capabilities
from extensions.airoboros_longctx.core.model_facts import GgufFacts, ScalingStatement
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts
from extensions.airoboros_longctx.core.user_rules import UserRule

from .gguf_files import LINEAR_4_GGUF, LLAMA_GGUF, write_gguf
from .known_models import V1_7, V4_7_3, because_of, warned

V1_16 = known_capabilities("webui-v1.16")
NO_SETTING = replace(V4_7_3, mechanisms={"llama.cpp": "none"})
PI_8192 = "airoboros-33b-gpt4-1.4.1-PI-8192.Q4_K_M.gguf"


def _plan(path: Path, request: PlanRequest | None = None) -> ContextPlan:
    """The plan of a host whose llama.cpp loader has no setting for a scaling."""
    return plan_context(read_model_facts(path), NO_SETTING, request or PlanRequest())


def test_a_file_as_the_model(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / PI_8192, {**LINEAR_4_GGUF, "tokenizer.chat_template": "{{ x }}"})
    facts = read_model_facts(file)
    assert facts.problems == ()
    assert (facts.name, facts.weight_format, facts.is_llama) == (PI_8192[:-5], "gguf", True)
    assert (facts.hidden_size, facts.num_hidden_layers) == (6656, 60)
    assert (facts.num_attention_heads, facts.num_key_value_heads) == (52, 52)
    assert (facts.max_position_embeddings, facts.window_source) == (2048, "GGUF metadata context_length")
    assert facts.gguf == GgufFacts("LLaMA v1", "Q4_K_M", 2048, 128, True, "{{ x }}")
    assert facts.gguf_scaling == ScalingStatement(
        "GGUF metadata", "rope.scaling.factor 4.0, rope.scaling.type linear", factor=4.0
    )


@pytest.mark.parametrize(
    ("stated", "scaling"),
    [
        ({"rope.scale_linear": 4.0}, ("linear", 4.0, None, None)),
        ({"rope.scaling.factor": 8.0, "rope.scale_linear": 4.0}, ("linear", 8.0, None, None)),
        ({"rope.scaling.factor": 8.0, "rope.scaling.original_context_length": 2048}, ("linear", 8.0, 2048, None)),
        (
            {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 4096},
            ("yarn", 4.0, 4096, 16384),
        ),
        ({"rope.scaling.type": "none", "rope.scaling.factor": 4.0}, None),
        ({"rope.scaling.type": "linear"}, None),
        ({"rope.scale_linear": 1.0}, None),
        ({"rope.scale_linear": 0.0}, None),
        ({}, None),
    ],
)
def test_every_spelling_of_a_scaling(tmp_path: Path, stated: dict[str, object], scaling: object) -> None:
    values = {**LLAMA_GGUF, **{f"llama.{key}": value for key, value in stated.items()}}
    facts = read_model_facts(write_gguf(tmp_path / "m.gguf", values))
    found = facts.gguf_scaling
    assert facts.problems == ()
    assert scaling == (
        found
        and (
            found.rope_type,
            found.factor,
            found.original_max_position_embeddings,
            found.max_position_embeddings,
        )
    )


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("llama.rope.scaling.factor", 0.25, "rope.scaling.factor is 0.25; a number from 1 to 1024 was expected."),
        ("llama.rope.scale_linear", "four", "rope.scale_linear is 'four'; a number from 1 to 1024 was expected."),
        ("llama.block_count", "many", "block_count is 'many'; a whole number from 1 on was expected."),
        ("llama.context_length", 0, "context_length is 0; a whole number from 1 on was expected."),
    ],
)
def test_a_malformed_value_is_a_sentence(tmp_path: Path, key: str, value: object, problem: str) -> None:
    facts = read_model_facts(write_gguf(tmp_path / "m.gguf", {**LLAMA_GGUF, key: value}))
    assert facts.problems == (f"m.gguf metadata: {problem}",)
    assert facts.gguf_scaling is None


def test_metadata_without_an_architecture(tmp_path: Path) -> None:
    facts = read_model_facts(write_gguf(tmp_path / "m.gguf", {"llama.rope.scale_linear": 4.0}))
    assert facts.problems == ("m.gguf names no architecture in its metadata, so nothing else in it is used.",)
    assert facts.gguf_scaling is None


def test_heads_stated_for_each_layer(tmp_path: Path) -> None:
    facts = read_model_facts(
        write_gguf(tmp_path / "m.gguf", {**LLAMA_GGUF, "llama.attention.head_count_kv": [0, 8, 4]})
    )
    assert facts.num_key_value_heads == 8


def test_a_scaling_in_the_metadata_is_left_to_llama_cpp(tmp_path: Path) -> None:
    plan = _plan(write_gguf(tmp_path / "some-llama.gguf", LINEAR_4_GGUF))
    assert (plan.loader, plan.mechanism, plan.rope_type, plan.factor) == ("llama.cpp", "model_config", "linear", 4)
    assert (plan.original_max_position_embeddings, plan.max_position_embeddings) == (2048, 8192)
    assert because_of(plan, "mechanism") == "the GGUF's own metadata states it and llama.cpp applies it"
    assert because_of(plan, "factor") == "rope.scaling.factor 4.0, rope.scaling.type linear"
    assert because_of(plan, "original_max_position_embeddings") == "GGUF metadata states 2048"
    assert not warned(plan, "scaled")


def test_it_is_left_to_llama_cpp_too_where_the_loader_has_a_setting(tmp_path: Path) -> None:
    plan = plan_context(read_model_facts(write_gguf(tmp_path / "some-llama.gguf", LINEAR_4_GGUF)), V1_16)
    assert (plan.mechanism, plan.factor, plan.max_position_embeddings) == ("model_config", 4, 8192)


def test_a_rule_against_the_metadata_goes_to_the_loaders_setting(tmp_path: Path) -> None:
    facts = read_model_facts(write_gguf(tmp_path / "some-llama.gguf", LINEAR_4_GGUF))
    plan = plan_context(facts, V1_16, PlanRequest(rules=(UserRule("some-llama", factor=2.0),)))
    assert (plan.mechanism, plan.factor, plan.max_position_embeddings) == ("loader_setting", 2, 4096)
    assert because_of(plan, "mechanism") == (
        "llama.cpp scales by itself when it is told the factor; its setting replaces the GGUF file's own factor and is"
        " never added to it"
    )
    assert warned(plan, "Your rule for “some-llama” says linear ×2, but GGUF metadata says linear ×4.")


def test_a_file_that_says_nothing_gets_the_factor_of_its_family(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / PI_8192, LLAMA_GGUF)
    plan = plan_context(read_model_facts(file), V1_7)
    assert (plan.mechanism, plan.factor, plan.max_position_embeddings) == ("loader_setting", 4, 8192)
    plan = _plan(file)
    assert (plan.mechanism, plan.truncation_length) == ("none", 2048)
    assert warned(
        plan,
        "this model needs linear ×4. Its own metadata does not state it: give llama.cpp --rope-scaling linear"
        " --rope-scale 4 as extra flags.",
    )


def test_the_name_inside_the_file_tells_the_family_too(tmp_path: Path) -> None:
    values = {**LLAMA_GGUF, "general.name": "airoboros-33b-gpt4-1.4.1-PI-8192"}
    plan = plan_context(read_model_facts(write_gguf(tmp_path / "ggml-model-q4.gguf", values)), V1_7)
    assert (plan.factor, plan.instruction_template) == (4, "Airoboros-1.4")


def test_yarn_in_the_metadata_is_left_to_llama_cpp(tmp_path: Path) -> None:
    stated = {"type": "yarn", "factor": 4.0, "original_context_length": 2048}
    values = {**LLAMA_GGUF, **{f"llama.rope.scaling.{key}": value for key, value in stated.items()}}
    for capabilities in (V1_16, V4_7_3, NO_SETTING):
        plan = plan_context(read_model_facts(write_gguf(tmp_path / "some-llama.gguf", values)), capabilities)
        assert (plan.rope_type, plan.mechanism, plan.truncation_length) == ("yarn", "model_config", 8192)
        assert because_of(plan, "max_position_embeddings") == "GGUF metadata states yarn"


def test_a_rule_against_the_metadata_is_said_where_it_cannot_be_obeyed(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "some-llama.gguf", LINEAR_4_GGUF)
    plan = _plan(file, PlanRequest(rules=(UserRule("some-llama", factor=2.0),)))
    assert (plan.mechanism, plan.factor, plan.truncation_length) == ("none", 2, 2048)
    assert warned(
        plan,
        "Not scaled as planned: llama.cpp applies the linear ×4 of the GGUF's own metadata, and its setting cannot be"
        " reached here. To run linear ×2 instead, give llama.cpp --rope-scaling linear --rope-scale 2 as extra flags.",
    )
    plan = _plan(file, PlanRequest(rules=(UserRule("some-llama", factor=1.0),)))
    assert warned(plan, "To run no scaling instead, give llama.cpp --rope-scaling none as extra flags.")


def test_config_json_and_metadata_that_contradict_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "some-llama-gguf"
    folder.mkdir()
    write_gguf(folder / "model.gguf", LINEAR_4_GGUF)
    config = {"model_type": "llama", "rope_scaling": {"type": "linear", "factor": 8.0}, "max_position_embeddings": 4096}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    plan = _plan(folder)
    assert plan.factor == 4
    assert warned(
        plan,
        "GGUF metadata says linear ×4, but config.json rope_scaling says linear ×8. The first one is used; the two are"
        " never combined.",
    )
    assert warned(
        plan,
        "GGUF metadata context_length is 2048 and config.json max_position_embeddings is 4096; the GGUF's own is used.",
    )


def test_the_card_and_the_metadata_that_contradict_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "some-llama-gguf"
    folder.mkdir()
    write_gguf(folder / "model.gguf", LINEAR_4_GGUF)
    (folder / "README.md").write_text("Set max_seq_len to 16384 and compress_pos_emb to 8.", encoding="utf-8")
    assert warned(_plan(folder), "GGUF metadata says linear ×4, but the model card (README.md) says linear ×8")


def test_a_folder_of_quantisations(tmp_path: Path) -> None:
    for quantisation in ("Q4_K_M", "Q5_K_M", "Q8_0"):
        write_gguf(tmp_path / f"some-llama.{quantisation}.gguf", LINEAR_4_GGUF)
    plan = _plan(tmp_path)
    assert (plan.factor, plan.weight_file) == (4, "some-llama.Q4_K_M.gguf")
    assert warned(plan, "3 whole models")
    write_gguf(tmp_path / "some-llama.Q5_K_M.gguf", LLAMA_GGUF)
    assert warned(
        _plan(tmp_path),
        "some-llama.Q4_K_M.gguf and some-llama.Q5_K_M.gguf state different scalings in their metadata; keep the files"
        " of one model in one folder.",
    )


@pytest.mark.parametrize("as_file", [True, False])
def test_a_split_file_is_one_model(tmp_path: Path, as_file: bool) -> None:
    folder = tmp_path / "some-llama-gguf"
    folder.mkdir()
    first = write_gguf(folder / "some-llama-00001-of-00002.gguf", LINEAR_4_GGUF)
    write_gguf(folder / "some-llama-00002-of-00002.gguf", {"split.no": 1, "split.count": 2})
    facts = read_model_facts(first if as_file else folder)
    assert facts.problems == ()
    assert facts.name == ("some-llama" if as_file else "some-llama-gguf")
    assert (len(facts.weight_files), facts.gguf_scaling is not None) == (2, True)
    (folder / "some-llama-00002-of-00002.gguf").unlink()
    assert read_model_facts(first if as_file else folder).problems == (
        "some-llama.gguf is split into 2 files and 1 of them is here; get the others.",
    )


def test_two_split_quantisations_are_planned_by_their_first_part(tmp_path: Path) -> None:
    for name in ("a-Q4_0", "a-Q8_0"):
        for part in (1, 2):
            write_gguf(tmp_path / f"{name}-0000{part}-of-00002.gguf", LINEAR_4_GGUF)
    assert _plan(tmp_path).weight_file == "a-Q4_0-00001-of-00002.gguf"


def test_a_broken_file_is_planned_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / PI_8192
    file.write_bytes(b"GGUF\x03\x00")
    facts = read_model_facts(file)
    assert facts.problems == (f"{PI_8192} ends in the middle of its metadata; its metadata is not used.",)
    plan = plan_context(facts, NO_SETTING)
    assert plan.factor == 4
    assert warned(plan, "Its own metadata is not known here: give llama.cpp --rope-scaling linear --rope-scale 4")
