"""What every plan keeps: its JSON keys, a reason for every value, and the same answer to the same question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.context_plan import PlanRequest, plan_as_json
from extensions.airoboros_longctx.core.explanation import explain, summary
from extensions.airoboros_longctx.core.known_hosts import known_capabilities, known_hosts
from extensions.airoboros_longctx.core.model_facts import ModelFacts, Quantization, WeightFile
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts
from extensions.airoboros_longctx.core.user_rules import UserRule

from .conftest import ModelFolder
from .known_models import (
    NEVER_REFUSES,
    PREAMBLE,
    SEEDS,
    TWO_FILES,
    V1_7,
    lxctx_facts,
)

KEYS = (
    "model rope_type factor original_max_position_embeddings max_position_embeddings loader mechanism"
    " instruction_template plainformat_separator stop warnings reasons"
).split()


def test_the_json_keys_are_a_contract(model_folder: ModelFolder) -> None:
    plan = plan_as_json(plan_context(lxctx_facts(model_folder), V1_7))
    assert set(KEYS) <= set(plan)
    assert set(plan) - set(KEYS) == {"truncation_length", "suggestion", "weight_file", "memory"}
    assert all(set(reason) == {"value", "because", "source"} for reason in plan["reasons"])


@pytest.mark.parametrize("name", SEEDS)
def test_every_value_has_its_reason_and_source(model_folder: ModelFolder, name: str) -> None:
    plan = plan_context(read_model_facts(model_folder(name, **SEEDS[name])), V1_7)
    decided = set(KEYS) - {"model", "warnings", "reasons"} | {"truncation_length"}
    assert decided <= {reason.value for reason in plan.reasons}
    assert all(reason.because and reason.source for reason in plan.reasons)
    text = explain(plan)
    assert summary(plan) in text
    assert all(warning in text for warning in plan.warnings)


TOKENS = st.none() | st.integers(-10, 300_000)
NAMES = st.sampled_from([*SEEDS, "my-llama-16k", "airoboros-33b-gpt4-1.4.1-NTK-16384-fp16"]) | st.text(max_size=30)
FACTS = st.builds(
    ModelFacts,
    path=st.just(""),
    name=NAMES,
    model=NAMES,
    model_type=st.sampled_from([None, "llama", "mistral"]),
    max_position_embeddings=st.none() | st.integers(1, 200_000),
    num_hidden_layers=st.none() | st.integers(1, 100),
    num_attention_heads=st.none() | st.integers(1, 100),
    hidden_size=st.none() | st.integers(1, 10_000),
    remote_code=st.booleans(),
    quantization=st.none() | st.builds(Quantization, method=st.just("gptq"), bits=st.none() | st.integers(1, 8)),
    weight_format=st.sampled_from([None, "fp16", "gptq", "gguf", "awq", "exl2", "strange"]),
    weight_files=st.lists(st.builds(WeightFile, name=st.sampled_from(TWO_FILES), size_bytes=st.just(1))).map(tuple),
    card_text=st.sampled_from(["", PREAMBLE, f"{PREAMBLE} {NEVER_REFUSES}"]),
)
REQUESTS = st.builds(
    PlanRequest,
    context_tokens=TOKENS,
    loader=st.none() | st.sampled_from(["ExLlama", "transformers", "nonsense", ""]),
    loaded_with=st.none() | st.sampled_from(["ExLlama", "AutoGPTQ", "nonsense"]),
    host_factor=st.none() | st.floats(),
    host_alpha=st.none() | st.floats() | st.floats(1, 16),
    rules=st.lists(
        st.builds(
            UserRule,
            pattern=st.text(max_size=5),
            rope_type=st.sampled_from(["linear", "ntk", "ntk_by_parts", "yarn"]),
            factor=st.floats(),
        )
    ).map(tuple),
    trust_remote_code=st.booleans(),
)


@given(facts=FACTS, request_=REQUESTS, host=st.sampled_from(known_hosts()), gpu=st.booleans())
def test_the_plan_is_pure_and_total(facts: ModelFacts, request_: PlanRequest, host: str, gpu: bool) -> None:
    capabilities = known_capabilities(host, gpu)
    plan = plan_context(facts, capabilities, request_)
    assert plan == plan_context(facts, known_capabilities(host, gpu), request_)
    assert 1 <= plan.truncation_length <= plan.max_position_embeddings
    assert plan.scaling.factor == plan.factor >= 1
    assert plan_as_json(plan)["factor"] == plan.factor
    assert explain(plan)
    exllama_beyond = plan.loader.startswith("ExLlama_") or plan.loader == "ExLlama"
    if exllama_beyond and request_.loader is None and request_.loaded_with is None:
        assert plan.truncation_length <= 8192
