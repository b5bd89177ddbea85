"""Every host, weight format, window, set of installed packages and machine: what a plan may never say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.context_plan import ContextPlan, PlanRequest
from extensions.airoboros_longctx.core.known_hosts import known_capabilities, known_hosts
from extensions.airoboros_longctx.core.mechanisms import NONE
from extensions.airoboros_longctx.core.model_facts import ModelFacts, Quantization, ScalingStatement
from extensions.airoboros_longctx.core.planning.loader_choice import PREFERENCES
from extensions.airoboros_longctx.core.planning.planner import plan_context

from .known_models import warned

BASE, WINDOW = 2048, 16384
STATED = ScalingStatement("README.md", "compress_pos_emb 8", factor=8.0, original_max_position_embeddings=BASE)
EXLLAMA, EXLLAMAV2 = ("ExLlama", "ExLlama_HF"), ("ExLlamav2", "ExLlamav2_HF")
#: Weight format, bits, act-order.
WEIGHTS = (
    ("fp16", None, None),
    ("gptq", 4, True),
    ("gptq", 4, False),
    ("gptq", 3, True),
    ("gptq", None, None),
    ("gguf", None, None),
    ("ggml", None, None),
    ("awq", 4, None),
    ("exl2", None, None),
    ("exl3", None, None),
    ("hqq", 4, None),
    (None, None, None),
)
REQUESTS = (None, 2048, 8192, 8193, 16384, 40000)
#: Loaders that are not installed, and what has to be installed for each.
INSTALLED: dict[str, dict[str, tuple[str, ...]]] = {
    "everything": {},
    "no ExLlama": dict.fromkeys(EXLLAMA, ("exllama",)),
    "no ExLlama, no AutoGPTQ": {**dict.fromkeys(EXLLAMA, ("exllama",)), "AutoGPTQ": ("auto_gptq",)},
    "no llama.cpp": dict.fromkeys(("llama.cpp", "llamacpp_HF"), ("llama_cpp",)),
    "Transformers without GPTQ": {"gptq": ("optimum", "gptqmodel")},
    "nothing beside Transformers": {
        "gptq": ("optimum", "gptqmodel"),
        "awq": ("gptqmodel",),
        **{loader: (loader.lower(),) for form in PREFERENCES.values() for loader in form if loader != "Transformers"},
    },
}
#: Formats that Transformers cannot read, and so loaders that must be there.
OTHER_FORMATS = ("gguf", "ggml", "exl2", "exl3")


def facts_of(weights: tuple[str | None, int | None, bool | None], model_type: str, scaled: bool) -> ModelFacts:
    form, bits, desc_act = weights
    quantization = Quantization(form or "", bits, 128, desc_act) if bits else None
    return ModelFacts(
        path="some-model",
        name="some-model",
        model_type=model_type,
        num_attention_heads=52,
        max_position_embeddings=BASE,
        card_scaling=STATED if scaled else None,
        quantization=quantization,
        weight_format=form,
    )


def hosts(name: str) -> Iterator[Capabilities]:
    known = known_capabilities(name)
    for gpu, missing in product((True, False), INSTALLED.values()):
        there = {loader: way for loader, way in known.mechanisms.items() if loader not in missing}
        yield replace(known, gpu=gpu, mechanisms=there, missing=missing)


def combinations(name: str) -> Iterator[tuple[ModelFacts, Capabilities, int | None]]:
    models = [facts_of(*each) for each in product(WEIGHTS, ("llama", "mistral"), (True, False))]
    return product(models, list(hosts(name)), REQUESTS)


def the_plan_is_sound(plan: ContextPlan, facts: ModelFacts, host: Capabilities, tokens: int | None) -> None:
    assert 1 <= plan.truncation_length <= min(tokens or WINDOW, plan.max_position_embeddings)
    assert plan.loader in host.loaders or warned(plan, f"{plan.loader} would be needed")
    way = host.mechanisms.get(plan.loader, NONE)
    assert plan.mechanism in (way, NONE)
    if plan.factor == 1:
        assert plan.mechanism == NONE
    elif plan.mechanism == NONE:
        assert plan.truncation_length <= BASE
        assert warned(plan, "Not scaled")
        assert way == NONE or facts.model_type != "llama"
    assert len(set(plan.warnings)) == len(plan.warnings)


def nothing_unfit_is_chosen(plan: ContextPlan, facts: ModelFacts, host: Capabilities) -> None:
    bits = facts.quantization.bits if facts.quantization else None
    fits_exllama = bits == 4 and facts.model_type == "llama" and host.gpu
    if plan.loader in EXLLAMA:
        assert fits_exllama
        assert plan.truncation_length <= 8192
    if plan.loader in EXLLAMAV2 and facts.weight_format == "gptq":
        assert fits_exllama
    if plan.loader == "Transformers":
        assert facts.weight_format not in OTHER_FORMATS
        if facts.weight_format in host.missing:
            assert warned(plan, "Transformers needs", "pip install")
    if not host.gpu and plan.loader.startswith(("ExLlama", *EXLLAMAV2)):
        assert warned(plan, "needs a GPU, and none is there") or warned(plan, "would be needed")
    if plan.factor != 1 and plan.mechanism == NONE and facts.model_type == "llama":
        others = PREFERENCES.get(facts.weight_format or "", ("Transformers",))
        assert all(host.mechanisms.get(loader, NONE) == NONE for loader in others)


@pytest.mark.parametrize("name", known_hosts())
def test_what_is_planned_by_itself(name: str) -> None:
    count = 0
    for facts, host, tokens in combinations(name):
        plan = plan_context(facts, host, PlanRequest(context_tokens=tokens))
        the_plan_is_sound(plan, facts, host, tokens)
        nothing_unfit_is_chosen(plan, facts, host)
        count += 1
    assert count == len(WEIGHTS) * 2 * 2 * 2 * len(INSTALLED) * len(REQUESTS)


@pytest.mark.parametrize("name", known_hosts())
def test_what_is_planned_with_a_loader_that_the_user_chose(name: str) -> None:
    for facts, host, asked in product(
        [facts_of(weights, "llama", True) for weights in WEIGHTS], list(hosts(name)), ("ExLlama", "ctransformers")
    ):
        plan = plan_context(facts, host, PlanRequest(loader=asked))
        the_plan_is_sound(plan, facts, host, None)
        if asked in host.loaders:
            assert plan.loader == asked
            assert warned(plan, f"{asked}: ")
        elif asked in host.missing:
            assert warned(plan, f"{asked} needs {asked.lower()}, which is not installed (pip install {asked.lower()}")
        else:
            assert warned(plan, f"{asked} is not a loader of {host.host}")


def test_a_loader_that_cannot_be_scaled_names_one_that_can() -> None:
    host = known_capabilities("webui-v1.7")
    plan = plan_context(facts_of(("gguf", None, None), "llama", True), host, PlanRequest(loader="ctransformers"))
    assert warned(plan, "ctransformers: it cannot be scaled here, use llama.cpp or llamacpp_HF.")
    alone = replace(host, mechanisms={"ctransformers": NONE})
    plan = plan_context(facts_of(("gguf", None, None), "llama", True), alone)
    assert plan.loader == "ctransformers"
    assert warned(plan, "it cannot be scaled here, and webui-v1.7 has no loader of these weights that can.")


def test_what_has_to_be_installed_is_said_with_the_command() -> None:
    host = replace(known_capabilities("webui-v4.7.3"), missing={"gptq": ("optimum", "gptqmodel")})
    plan = plan_context(facts_of(("gptq", 4, True), "llama", True), host)
    assert plan.loader == "Transformers"
    assert (
        "Transformers: for gptq weights Transformers needs optimum and gptqmodel, which are not installed"
        " (pip install optimum gptqmodel, in the webui's own environment)."
    ) in plan.warnings
    there = {loader: way for loader, way in host.mechanisms.items() if loader != "llama.cpp"}
    without = replace(host, mechanisms=there, missing={"llama.cpp": ("llama_cpp_binaries",)})
    plan = plan_context(facts_of(("gguf", None, None), "llama", True), without)
    assert (
        "webui-v4.7.3 has no loader for this model (gguf weights); llama.cpp would be needed: it needs"
        " llama_cpp_binaries, which is not installed (pip install llama_cpp_binaries, in the webui's own environment)."
    ) in plan.warnings


def test_gptq_goes_to_exllamav2_where_transformers_cannot_read_it() -> None:
    host = replace(known_capabilities("webui-v3.23"), missing={"gptq": ("gptqmodel",)})
    assert plan_context(facts_of(("gptq", 4, True), "llama", True), host).loader == "ExLlamav2_HF"
    assert plan_context(facts_of(("gptq", 3, True), "llama", True), host).loader == "Transformers"
    assert plan_context(facts_of(("gptq", 4, True), "llama", True), replace(host, gpu=False)).loader == "Transformers"


def test_eager_attention_asks_for_the_hosts_switch() -> None:
    host = replace(known_capabilities("webui-v1.7"), attention_switch="start the webui with --sdp-attention")
    facts = facts_of(("fp16", None, None), "llama", True)
    # 52 heads × 16384² scores × 8 bytes
    sentence = (
        "A prompt of 16384 tokens needs 104.0 GiB for the attention scores of one layer, because Transformers writes"
        " all of them into memory here. To avoid that, start the webui with --sdp-attention."
    )
    assert sentence in plan_context(facts, host).warnings
    assert not warned(plan_context(facts, host, PlanRequest(context_tokens=1024)), "attention scores")
    assert not warned(plan_context(facts, replace(host, attention_switch="")), "attention scores")
    assert not warned(plan_context(facts_of(("gptq", 4, True), "llama", True), host), "attention scores")
