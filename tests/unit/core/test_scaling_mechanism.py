"""How a scaling gets into the model: one way, and never on top of another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.context_plan import (
    PlanRequest,
)
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .conftest import ModelFolder
from .known_models import (
    GPTQ_4BIT,
    LINEAR_4,
    PI_8192,
    PI_8192_CARD,
    SEEDS,
    V1_7,
    V4_7_3,
    WORKBENCH,
    warned,
)


@pytest.mark.parametrize(
    ("config", "loader", "rope_type", "mechanism"),
    [
        (LINEAR_4, "Transformers", "linear", "model_config"),
        ({"rope_parameters": {"rope_type": "linear", "factor": 4.0}}, "Transformers", "linear", "model_config"),
        (LINEAR_4, "AutoGPTQ", "linear", "model_config"),
        (LINEAR_4, "ExLlama", "linear", "loader_setting"),
        ({"rope_scaling": {"type": "yarn", "factor": 4.0}}, "Transformers", "yarn", "model_config"),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, "Transformers", "llama3", "model_config"),
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "AutoGPTQ", "dynamic", "model_config"),
        ({"rope_scaling": {"type": "yarn", "factor": 4.0}}, "ExLlama", "yarn", "none"),
    ],
)
def test_what_config_json_states_is_left_to_the_loaders_that_read_it(
    model_folder: ModelFolder, config: dict[str, Any], loader: str, rope_type: str, mechanism: str
) -> None:
    folder = model_folder("some-llama", config=config, quantize_config=GPTQ_4BIT)
    plan = plan_context(read_model_facts(folder), V1_7, PlanRequest(loader=loader))
    assert (plan.rope_type, plan.mechanism) == (rope_type, mechanism)
    assert plan.truncation_length == (2048 if mechanism == "none" else plan.max_position_embeddings)
    assert warned(plan, "Not scaled:") is (mechanism == "none")


def test_a_loader_that_reads_config_json_only_cannot_be_given_a_factor(model_folder: ModelFolder) -> None:
    facts = read_model_facts(model_folder(PI_8192, **SEEDS[PI_8192]))
    host = replace(V4_7_3, mechanisms={**V4_7_3.mechanisms, "ExLlamav3": "model_config"})
    plan = plan_context(facts, host, PlanRequest(loader="ExLlamav3"))
    assert (plan.factor, plan.mechanism, plan.truncation_length) == (4, "none", 2048)
    assert warned(plan, "ExLlamav3 takes the scaling from config.json only", "Choose another loader")


@pytest.mark.parametrize(("trusted", "mechanism"), [(False, "patch"), (True, "remote_code")])
def test_remote_code_that_scales_itself(model_folder: ModelFolder, trusted: bool, mechanism: str) -> None:
    folder = model_folder(
        "TheBloke_airoboros-33B-gpt4-1-4-SuperHOT-8K-fp16",
        config={
            "max_position_embeddings": 8192,
            "auto_map": {"AutoModelForCausalLM": "modelling_llama.LlamaForCausalLM"},
        },
    )
    plan = plan_context(read_model_facts(folder), WORKBENCH, PlanRequest(trust_remote_code=trusted))
    assert (plan.factor, plan.original_max_position_embeddings, plan.max_position_embeddings) == (4, 2048, 8192)
    assert plan.mechanism == mechanism
    assert warned(plan, "trust_remote_code")


def test_another_architecture_is_not_scaled(model_folder: ModelFolder) -> None:
    folder = model_folder(PI_8192, config={"model_type": "mistral"}, card=PI_8192_CARD)
    plan = plan_context(read_model_facts(folder), WORKBENCH)
    assert (plan.mechanism, plan.truncation_length) == ("none", 2048)
    assert warned(plan, "mistral model, no Llama: it is left alone")
