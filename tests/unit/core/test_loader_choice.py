"""Which loader a plan names: the requested context, the bits, the GPU and the user decide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.context_plan import PlanRequest
from extensions.airoboros_longctx.core.known_hosts import known_capabilities, known_hosts
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .conftest import ModelFolder
from .known_models import (
    SEEDS,
    V1_7,
    V4_7_3,
    because_of,
    lxctx_facts,
    warned,
)


@pytest.mark.parametrize(
    ("request_", "loader", "truncation_length"),
    [
        (PlanRequest(), "AutoGPTQ", 16384),
        (PlanRequest(context_tokens=8193), "AutoGPTQ", 8193),
        (PlanRequest(context_tokens=8192), "ExLlama", 8192),
        (PlanRequest(context_tokens=2048), "ExLlama", 2048),
        (PlanRequest(loader="ExLlama"), "ExLlama", 16384),
        (PlanRequest(loader="exllama_hf"), "ExLlama_HF", 16384),
        (PlanRequest(loaded_with="AutoGPTQ", context_tokens=4096), "AutoGPTQ", 4096),
    ],
)
def test_the_requested_context_decides_the_loader(
    model_folder: ModelFolder, request_: PlanRequest, loader: str, truncation_length: int
) -> None:
    plan = plan_context(lxctx_facts(model_folder), V1_7, request_)
    assert (plan.loader, plan.truncation_length) == (loader, truncation_length)
    assert (plan.factor, plan.max_position_embeddings) == (8, 16384)
    assert plan.mechanism == ("patch" if loader == "AutoGPTQ" else "loader_setting")
    beyond = "for context beyond 8192 tokens do not use ExLlama, use AutoGPTQ"
    assert warned(plan, beyond) is (loader != "AutoGPTQ" and truncation_length > 8192)


def test_a_model_that_is_loaded_keeps_its_loader_and_the_plan_names_the_better_one(model_folder: ModelFolder) -> None:
    plan = plan_context(lxctx_facts(model_folder), V1_7, PlanRequest(loaded_with="ExLlama"))
    assert plan.loader == "ExLlama"
    assert "AutoGPTQ would be the better choice" in because_of(plan, "loader")


def test_a_loader_that_is_not_there_is_named_with_the_best_other_one(model_folder: ModelFolder) -> None:
    plan = plan_context(lxctx_facts(model_folder), V4_7_3, PlanRequest(loader="AutoGPTQ"))
    assert plan.loader == "Transformers"
    assert warned(plan, "AutoGPTQ is not a loader of webui-v4.7.3", "Transformers is planned instead")


def test_an_older_exllama_where_the_plain_one_is_missing(model_folder: ModelFolder) -> None:
    there = {loader: way for loader, way in V1_7.mechanisms.items() if loader != "ExLlama"}
    plan = plan_context(lxctx_facts(model_folder), replace(V1_7, mechanisms=there), PlanRequest(context_tokens=8192))
    assert plan.loader == "ExLlama_HF"


def test_without_a_gpu_nothing_goes_to_exllama(model_folder: ModelFolder) -> None:
    facts = lxctx_facts(model_folder)
    plan = plan_context(facts, known_capabilities("v1.7", gpu=False), PlanRequest(context_tokens=4096))
    assert plan.loader == "AutoGPTQ"
    assert "ExLlama needs a GPU" in because_of(plan, "loader")
    assert plan_context(facts, known_capabilities("v4.0", gpu=False)).loader == "Transformers"


@pytest.mark.parametrize("host", ["webui-v2.8.1", "webui-v3.14", "webui-v4.0", "webui-v4.7.3", "workbench"])
def test_gptq_without_exllama_and_autogptq_goes_to_transformers(model_folder: ModelFolder, host: str) -> None:
    plan = plan_context(lxctx_facts(model_folder), known_capabilities(host))
    assert (plan.loader, plan.mechanism) == ("Transformers", "patch")
    assert "optimum and gptqmodel" in because_of(plan, "loader")


@pytest.mark.parametrize(
    ("host", "mechanism", "tokens"),
    [
        ("webui-v1.5", "loader_setting", 8192),
        ("webui-v4.0", "loader_setting", 8192),
        ("webui-v4.7.3", "loader_setting", 8192),
    ],
)
def test_gguf_goes_to_llama_cpp(tmp_path: Path, host: str, mechanism: str, tokens: int) -> None:
    file = tmp_path / "airoboros-33b-gpt4-1.4.1-PI-8192.gguf"
    file.write_bytes(b"GGUF")
    plan = plan_context(read_model_facts(file), known_capabilities(host))
    assert (plan.loader, plan.factor, plan.mechanism, plan.truncation_length) == ("llama.cpp", 4, mechanism, tokens)
    assert not warned(plan, "Not scaled")


def test_a_host_without_any_loader_still_gets_an_honest_plan(model_folder: ModelFolder) -> None:
    plan = plan_context(lxctx_facts(model_folder), Capabilities("an empty host"))
    assert (plan.loader, plan.mechanism) == ("AutoGPTQ", "none")
    assert warned(plan, "an empty host has no loader for this model (gptq weights); AutoGPTQ would be needed")


@pytest.mark.parametrize("name", known_hosts())
def test_every_known_host_plans_every_seed(model_folder: ModelFolder, name: str) -> None:
    for model, contents in SEEDS.items():
        plan = plan_context(read_model_facts(model_folder(model, **contents)), known_capabilities(name))
        assert plan.loader in known_capabilities(name).loaders
        assert (plan.mechanism == "none") is (plan.factor == 1)
