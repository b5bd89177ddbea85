"""Adapters (LoRAs): what their folders say, and how a model is scaled while they are applied."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.context_plan import ContextPlan, PlanRequest
from extensions.airoboros_longctx.core.errors import ModelFolderError
from extensions.airoboros_longctx.core.model_facts import AdapterFacts, ModelFacts, ScalingStatement
from extensions.airoboros_longctx.core.planning.adapter_plan import AdapterPlan, plan_adapters
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.adapter_folder import read_adapter_facts
from extensions.airoboros_longctx.core.reading.model_card import SOURCE
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling

from .conftest import ModelFolder
from .known_models import LINEAR_4, PI_8192, PI_8192_CARD, WORKBENCH

PI_LORA = "bhenrym14_airoboros-33b-gpt4-1.4.1-PI-8192-LoRA"
LXCTX_LORA = "bhenrym14_airoboros-33b-gpt4-1.4.1-lxctx-PI-16384-LoRA"
NTK_LORA = "bhenrym14_airoboros-33b-gpt4-1.4.1-NTK-16384-LoRA"
SUPERHOT = "kaiokendev_superhot-13b-8k-no-rlhf-test"
LLAMA = "huggyllama_llama-30b"
ADAPTER_CONFIG = {
    "base_model_name_or_path": "models/llama-33b-hf",
    "bias": "none",
    "lora_alpha": 16.0,
    "peft_type": "LORA",
    "r": 64,
    "target_modules": ["v_proj", "q_proj"],
    "task_type": "CAUSAL_LM",
}
#: What SuperHOT's cards say about the webui: four was trained, two is mentioned.
SUPERHOT_CARD = """Choose ExLlama, with `max_seq_len 8192` and `compress_pos_emb 4`.
It may also do well with `compress_pos_emb 2`, but 4 is what it was trained on.

    python server.py --max_seq_len 8192 --compress_pos_emb 4 --loader exllama_hf
"""
SUPERHOT_16K_CARD = "Change the scaling factor to 0.125 and the maximum sequence length to 16384."
LINEAR_4_SCALING = RopeScaling("linear", 4.0, 2048)


def _adapter(parent: Path, name: str, config: Any = ADAPTER_CONFIG, card: str | None = None) -> AdapterFacts:
    folder = parent / name
    folder.mkdir()
    if config is not None:
        (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "adapter_model.bin").write_bytes(b"\0" * 7)
    if card is not None:
        (folder / "README.md").write_text(card, encoding="utf-8")
    return read_adapter_facts(folder)


def _plan(base: ModelFacts, *adapters: AdapterFacts) -> AdapterPlan:
    return plan_adapters(base, plan_context(base, WORKBENCH), adapters)


def _elsewhere(adapter: str, trained_on: str, base: str) -> str:
    return (
        f"{adapter} was trained on {trained_on}, and {base} is another model. An adapter that was trained with scaled"
        " positions answers noticeably worse on a base that is not its own, at every length of context (the card of"
        " airoboros-33b-gpt4-1.4.1-lxctx-PI-16384-GPTQ)."
    )


def test_a_folder_is_read(tmp_path: Path) -> None:
    facts = _adapter(tmp_path, PI_LORA, card=PI_8192_CARD)
    assert facts == AdapterFacts(
        path=str(tmp_path / PI_LORA),
        name=PI_LORA,
        organization="bhenrym14",
        model="airoboros-33b-gpt4-1.4.1-PI-8192-LoRA",
        base_model="models/llama-33b-hf",
        peft_type="LORA",
        task_type="CAUSAL_LM",
        r=64,
        lora_alpha=16.0,
        target_modules=("v_proj", "q_proj"),
        card_scaling=ScalingStatement(SOURCE, PI_8192_CARD, "linear", 4.0, 2048, 8192),
        card_text=PI_8192_CARD,
        size_bytes=7,
    )


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (None, "There is no adapter_config.json, so the adapter's base model is not known."),
        ([1], "adapter_config.json holds a list where a JSON object was expected; it is not used."),
        ({"r": "many"}, "adapter_config.json: r is 'many'; a whole number from 1 on was expected."),
        ({"lora_alpha": True}, "adapter_config.json: lora_alpha is True; a number from 0 to 1e+06 was expected."),
        ({"target_modules": 3}, "adapter_config.json: target_modules is 3; a list of texts was expected."),
        ({"base_model_name_or_path": 3}, "adapter_config.json: base_model_name_or_path is 3; a text was expected."),
    ],
)
def test_a_broken_folder_is_a_sentence(tmp_path: Path, config: Any, problem: str) -> None:
    facts = _adapter(tmp_path, "x", config)
    assert facts.problems == (problem,)
    base = ModelFacts("", LLAMA, model="llama-30b")
    assert _plan(base, facts).warnings == (problem,)


def test_layers_named_by_one_pattern(tmp_path: Path) -> None:
    assert _adapter(tmp_path, "x", {"target_modules": "all-linear"}).target_modules == ("all-linear",)


def test_a_folder_without_weights_or_without_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert read_adapter_facts(tmp_path / "x").problems == (
        "There is no adapter_config.json, so the adapter's base model is not known.",
        "The folder holds no adapter weights (adapter_model.bin or adapter_model.safetensors).",
    )
    with pytest.raises(ModelFolderError, match="no folder is there"):
        read_adapter_facts(tmp_path / "nothing")
    with pytest.raises(ModelFolderError):
        read_adapter_facts(tmp_path / "a\0b")


def test_a_model_folder_with_an_adapter_only_names_its_base(tmp_path: Path) -> None:
    _adapter(tmp_path, PI_LORA)
    assert (
        "The folder holds an adapter (LoRA) only; it is merged with, or loaded onto, its base model,"
        " models/llama-33b-hf."
    ) in read_model_facts(tmp_path / PI_LORA).problems


@pytest.mark.parametrize(
    ("name", "card", "scaling", "source"),
    [
        (PI_LORA, None, LINEAR_4_SCALING, "the table of model families"),
        (LXCTX_LORA, None, RopeScaling("linear", 8.0, 2048), "the table of model families"),
        (SUPERHOT, None, LINEAR_4_SCALING, "the table of model families"),
        (SUPERHOT, SUPERHOT_CARD, LINEAR_4_SCALING, SOURCE),
        ("kaiokendev_superhot-13b-16k-no-rlhf-test", SUPERHOT_16K_CARD, RopeScaling("linear", 8.0, 2048), SOURCE),
        ("my-lora", "Set max_seq_len to 16384 and compress_pos_emb to 8.", RopeScaling("linear", 8.0, 2048), SOURCE),
    ],
)
def test_a_scaled_adapter_scales_a_plain_llama(
    tmp_path: Path, model_folder: ModelFolder, name: str, card: str | None, scaling: RopeScaling, source: str
) -> None:
    base = read_model_facts(model_folder(LLAMA))
    adapter = _adapter(tmp_path, name, card=card)
    plan = _plan(base, adapter)
    assert plan.scaling == scaling
    assert plan.warnings == ()
    window = scaling.max_position_embeddings
    assert plan.reasons[0].because.startswith(
        f"{name} was trained with linear ×{scaling.factor:g} for {window} tokens, so its base is scaled while it is"
        " applied: "
    )
    assert plan.reasons[0].source.startswith(source)


def test_an_adapter_that_says_nothing_leaves_its_base(tmp_path: Path, model_folder: ModelFolder) -> None:
    for base in (LLAMA, PI_8192):
        facts = read_model_facts(model_folder(base, card=PI_8192_CARD if base == PI_8192 else None))
        plan = _plan(facts, AdapterFacts("", "tloen_alpaca-lora-7b", model="alpaca-lora-7b"))
        assert (plan.scaling, plan.warnings) == (None, ())
        assert plan.reasons[0].because == "nothing says that tloen_alpaca-lora-7b was trained with scaled positions"


def test_no_adapter(model_folder: ModelFolder) -> None:
    plan = _plan(read_model_facts(model_folder(LLAMA)))
    assert (plan.scaling, plan.warnings, plan.reasons[0].because) == (None, (), "no adapter is applied")


def test_a_base_that_is_scaled_alike_is_left(tmp_path: Path, model_folder: ModelFolder) -> None:
    base = read_model_facts(model_folder("my-llama-8k", config=LINEAR_4))
    adapter = _adapter(tmp_path, SUPERHOT, {**ADAPTER_CONFIG, "base_model_name_or_path": "my-llama-8k"})
    plan = _plan(base, adapter)
    assert (plan.scaling, plan.warnings) == (None, ())
    assert plan.reasons[0].because == (
        f"{SUPERHOT} was trained with linear ×4 for 8192 tokens, and my-llama-8k is planned so already"
    )


def test_a_base_that_is_scaled_otherwise_is_never_stacked(tmp_path: Path, model_folder: ModelFolder) -> None:
    base = read_model_facts(model_folder(PI_8192, card=PI_8192_CARD))
    plan = _plan(base, _adapter(tmp_path, LXCTX_LORA))
    assert plan.scaling is None
    assert plan.warnings == (
        _elsewhere(LXCTX_LORA, "models/llama-33b-hf", PI_8192),
        f"{LXCTX_LORA} was trained with linear ×8 for 16384 tokens, but {PI_8192} runs linear ×4. The model stays as"
        " it is, and the adapter does not fit it.",
    )


def test_superhot_on_another_fine_tune_gets_the_cards_warning(tmp_path: Path, model_folder: ModelFolder) -> None:
    name = "jondurbin_airoboros-13b-gpt4-1.4"
    plan = _plan(read_model_facts(model_folder(name)), _adapter(tmp_path, SUPERHOT))
    assert plan.scaling == LINEAR_4_SCALING
    assert plan.warnings == (_elsewhere(SUPERHOT, "models/llama-33b-hf", name),)
    plan = _plan(read_model_facts(tmp_path / name), _adapter(tmp_path, "superhot-30b-8k", config={}))
    assert plan.warnings == (_elsewhere("superhot-30b-8k", "Llama's own weights, as far as it says", name),)


def test_an_adapter_of_a_fine_tune_on_llama_itself_is_elsewhere_too(tmp_path: Path, model_folder: ModelFolder) -> None:
    config = {**ADAPTER_CONFIG, "base_model_name_or_path": "jondurbin/airoboros-33b-gpt4-1.4"}
    adapter = _adapter(tmp_path, PI_LORA, config)
    assert _plan(read_model_facts(model_folder(LLAMA)), adapter).warnings == (
        _elsewhere(PI_LORA, "jondurbin/airoboros-33b-gpt4-1.4", LLAMA),
    )
    assert _plan(read_model_facts(model_folder("jondurbin_airoboros-33b-gpt4-1.4")), adapter).warnings == ()


@pytest.mark.parametrize("name", ["llama-13b", "decapoda-research_llama-7b-hf", "LLaMA-30B-4bit-128g", "Llama-65b"])
def test_llama_itself_in_its_spellings(tmp_path: Path, model_folder: ModelFolder, name: str) -> None:
    assert _plan(read_model_facts(model_folder(name)), _adapter(tmp_path, SUPERHOT)).warnings == ()


def test_another_generation_of_llama_is_said(tmp_path: Path, model_folder: ModelFolder) -> None:
    base = read_model_facts(model_folder("Llama-2-13b-hf", config={"max_position_embeddings": 4096}))
    plan = _plan(base, _adapter(tmp_path, SUPERHOT))
    assert plan.scaling == LINEAR_4_SCALING
    assert (
        f"{SUPERHOT} stretches a base window of 2048 tokens, but that of Llama-2-13b-hf is 4096: the adapter belongs to"
        " another generation of Llama."
    ) in plan.warnings


def test_two_adapters_that_disagree(tmp_path: Path, model_folder: ModelFolder) -> None:
    base = read_model_facts(model_folder(LLAMA))
    eight, four = _adapter(tmp_path, LXCTX_LORA), _adapter(tmp_path, PI_LORA)
    plan = _plan(base, eight, four)
    assert plan.scaling == RopeScaling("linear", 8.0, 2048)
    assert plan.warnings == (
        f"{LXCTX_LORA} was trained with linear ×8 for 16384 tokens, and {PI_LORA} with linear ×4 for 8192 tokens. The"
        " first one counts; the two are never combined.",
    )
    assert _plan(base, four, replace(four, name="the same again")).warnings == ()


def test_the_card_and_the_table_that_contradict_each_other(tmp_path: Path, model_folder: ModelFolder) -> None:
    adapter = _adapter(tmp_path, PI_LORA, card="Set max_seq_len to 16384 and compress_pos_emb to 8.")
    plan = _plan(read_model_facts(model_folder(LLAMA)), adapter)
    assert plan.scaling == RopeScaling("linear", 8.0, 2048)
    assert len(plan.warnings) == 1
    assert plan.warnings[0].startswith(
        f"{PI_LORA}: The model card (README.md) says linear ×8 for 16384 tokens, but the table of model families"
    )


def test_another_architecture_is_left_alone(tmp_path: Path, model_folder: ModelFolder) -> None:
    base = read_model_facts(model_folder("some-mistral", config={"model_type": "mistral"}))
    plan = _plan(base, _adapter(tmp_path, PI_LORA))
    assert plan.scaling is None
    assert plan.warnings == (f"{PI_LORA} is not scaled for: some-mistral is a mistral model, no Llama.",)


STATEMENTS = st.none() | st.builds(
    ScalingStatement,
    source=st.just("a card"),
    quote=st.text(max_size=5),
    rope_type=st.sampled_from(["linear", "default", "ntk", "yarn"]),
    factor=st.none() | st.floats(1, 64),
    original_max_position_embeddings=st.none() | st.integers(1, 10_000),
    max_position_embeddings=st.none() | st.integers(1, 100_000),
)
ADAPTERS = st.builds(
    AdapterFacts,
    path=st.just(""),
    name=st.sampled_from([PI_LORA, LXCTX_LORA, NTK_LORA, SUPERHOT]) | st.text(max_size=9),
    base_model=st.none() | st.sampled_from([LLAMA, "a/b", "/"]) | st.text(max_size=9),
    card_scaling=STATEMENTS,
)


@given(adapters=st.lists(ADAPTERS, max_size=3), base=STATEMENTS, name=st.sampled_from([LLAMA, PI_8192, "x"]))
def test_the_plan_of_adapters_is_pure_and_never_stacks(
    adapters: list[AdapterFacts], base: ScalingStatement | None, name: str
) -> None:
    facts = ModelFacts("", name, config_scaling=base)
    of_base: ContextPlan = plan_context(facts, WORKBENCH, PlanRequest())
    plan = plan_adapters(facts, of_base, adapters)
    assert plan == plan_adapters(facts, of_base, adapters)
    assert plan.reasons
    if plan.scaling is not None:
        assert (of_base.rope_type, of_base.factor) == ("default", 1.0)
        assert plan.scaling.factor > 1
