"""A loaded model's plan while LoRAs are applied to it."""

from __future__ import annotations

import json

import pytest

from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.context_plan import PlanRequest
from extensions.airoboros_longctx.core.mechanisms import LOADER_SETTING, NONE, PATCH
from extensions.airoboros_longctx.core.planning.plan_with_adapters import plan_with_adapters
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.adapter_folder import read_adapter_facts
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

WEBUI = Capabilities("webui", {"Transformers": PATCH, "ExLlama": LOADER_SETTING}, gpu=True)
CARD = "You'll need to set max_seq_len to 8192 and compress_pos_emb to 4."


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "llama-13b"
    folder.mkdir()
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": 2048}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def adapter(tmp_path):
    def make(name, card=CARD):
        folder = tmp_path / "loras" / name
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "llama-13b", "r": 8}))
        (folder / "adapter_model.bin").write_bytes(b"x")
        (folder / "README.md").write_text(card)
        return folder

    return make


def planned(base, adapters, loader="Transformers", **asked):
    request = PlanRequest(loaded_with=loader, **asked)
    facts = read_model_facts(base)
    plan = plan_context(facts, WEBUI, request)
    return plan, plan_with_adapters(plan, facts, [read_adapter_facts(one) for one in adapters], WEBUI, request)


def test_without_adapters_it_is_the_same_plan(base):
    alone, same = planned(base, [])
    assert same is alone


def test_a_pi_lora_scales_its_base(base, adapter):
    alone, plan = planned(base, [adapter("airoboros-13b-gpt4-1.4.1-PI-8192-LoRA")])
    assert (alone.factor, alone.mechanism) == (1.0, NONE)
    assert (plan.rope_type, plan.factor, plan.mechanism) == ("linear", 4.0, PATCH)
    assert (plan.original_max_position_embeddings, plan.max_position_embeddings) == (2048, 8192)
    assert plan.truncation_length == 8192
    assert "was trained with linear ×4" in plan.reason_for("factor").because
    assert len({reason.value for reason in plan.reasons}) == len(plan.reasons)


def test_less_context_can_be_asked_for(base, adapter):
    _, plan = planned(base, [adapter("x-PI-8192-LoRA")], context_tokens=4096, context_source="you")
    assert (plan.truncation_length, plan.max_position_embeddings) == (4096, 8192)


def test_a_lora_that_says_nothing_leaves_the_base(base, adapter):
    alone, plan = planned(base, [adapter("style", card="A style.")])
    assert (plan.factor, plan.truncation_length) == (alone.factor, alone.truncation_length)


def test_a_loader_that_cannot_scale_in_place_is_named(base, adapter):
    _, plan = planned(base, [adapter("x-PI-8192-LoRA")], loader="ExLlama")
    assert plan.factor == 1.0
    assert (
        "ExLlama cannot scale a model that is loaded, and this LoRA needs linear ×4. Load llama-13b with Transformers"
        " or AutoGPTQ before the LoRA is applied."
    ) in plan.warnings
