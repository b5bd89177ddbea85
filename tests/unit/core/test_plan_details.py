"""Context, memory, weight files and prompt style of a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from extensions.airoboros_longctx.core.context_plan import (
    PlanRequest,
)
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .conftest import ModelFolder
from .known_models import (
    GPTQ_1_2,
    GPTQ_4BIT,
    LXCTX,
    LXCTX_CARD,
    NEVER_REFUSES,
    PI_8192,
    PREAMBLE,
    SEEDS,
    TWO_FILES,
    V1_7,
    WORKBENCH,
    because_of,
    lxctx_facts,
    warned,
)


@pytest.mark.parametrize(
    ("asked", "planned", "too_much"),
    [(None, 8192, False), (8192, 8192, False), (1, 1, False), (9000, 8192, True), (0, 8192, True), (-5, 8192, True)],
)
def test_the_context_ends_at_the_window(
    model_folder: ModelFolder, asked: int | None, planned: int, too_much: bool
) -> None:
    facts = read_model_facts(model_folder(PI_8192, **SEEDS[PI_8192]))
    plan = plan_context(facts, WORKBENCH, PlanRequest(context_tokens=asked, context_source="the page"))
    assert (plan.truncation_length, plan.max_position_embeddings) == (planned, 8192)
    assert warned(plan, "was asked for (the page)", "8192 is planned") is too_much


@pytest.mark.parametrize(("tokens", "gib"), [(8192, "12.2 GiB"), (16384, "24.4 GiB"), (64, None)])
def test_the_key_value_cache_of_the_33b(model_folder: ModelFolder, tokens: int, gib: str | None) -> None:
    plan = plan_context(lxctx_facts(model_folder), V1_7, PlanRequest(context_tokens=tokens))
    assert warned(plan, "key-value cache") is (gib is not None)
    assert gib is None or warned(plan, f"At {tokens} tokens", gib)


def test_grouped_heads_make_a_smaller_cache(model_folder: ModelFolder) -> None:
    folder = model_folder(LXCTX, card=LXCTX_CARD, config={"num_key_value_heads": 13})
    assert warned(plan_context(read_model_facts(folder), V1_7), "At 16384 tokens", "6.1 GiB")


def test_a_trained_length_below_the_window(model_folder: ModelFolder) -> None:
    facts = lxctx_facts(model_folder)
    assert warned(plan_context(facts, V1_7), "trained on sequences of up to 8192 tokens only")
    assert not warned(plan_context(facts, V1_7, PlanRequest(context_tokens=8192)), "trained on sequences")
    smaller = replace(facts, name=LXCTX.replace("33b", "7b"), model=LXCTX.replace("33b", "7b"))
    assert not warned(plan_context(smaller, V1_7), "trained on sequences")


def test_desc_act_with_a_group_size_is_slow_in_autogptq(model_folder: ModelFolder) -> None:
    facts = lxctx_facts(model_folder)
    assert (
        "desc_act with group size 128: AutoGPTQ is slow on this without its exllama kernel (about a third of the"
        " speed). With that kernel, prompts of more than 2048 tokens need auto-gptq 0.4.2 or newer."
    ) in plan_context(facts, V1_7).warnings
    short = plan_context(facts, V1_7, PlanRequest(context_tokens=2048, loader="AutoGPTQ"))
    assert warned(short, "desc_act with group size 128", "(about a third of the speed).")
    assert not warned(short, "0.4.2")


@pytest.mark.parametrize(
    ("desc_act", "card", "chosen", "because"),
    [
        (True, None, "act.order", "quantize_config.json says desc_act true"),
        (False, None, "no-act-order", "quantize_config.json says desc_act false"),
        (None, None, "no-act-order", "it works without act-order"),
        (None, f'model_basename = "{TWO_FILES[1][:-12]}"', "act.order", "the card's own example loads it"),
    ],
)
def test_two_weight_files_need_a_choice(
    model_folder: ModelFolder, desc_act: bool | None, card: str | None, chosen: str, because: str
) -> None:
    quantize = None if desc_act is None else {"bits": 4, "group_size": 128, "desc_act": desc_act}
    folder = model_folder(GPTQ_1_2, quantize_config=quantize, files=TWO_FILES, card=card)
    plan = plan_context(read_model_facts(folder), V1_7)
    assert plan.weight_file == f"airoboros-7b-gpt4-1.2-GPTQ-4bit-128g.{chosen}.safetensors"
    assert because in because_of(plan, "weight_file")
    assert warned(plan, "2 whole models", because)


def test_shards_are_one_model(model_folder: ModelFolder) -> None:
    files = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    plan = plan_context(read_model_facts(model_folder(LXCTX, quantize_config=GPTQ_4BIT, files=files)), V1_7)
    assert plan.weight_file is None


@pytest.mark.parametrize(
    ("name", "card", "template", "separator"),
    [
        (PI_8192, f"{PREAMBLE} USER: x ASSISTANT: ", "Airoboros-1.2", "\n"),
        (PI_8192, f"{PREAMBLE} {NEVER_REFUSES} USER: x ASSISTANT: ", "Airoboros-1.4", "\n"),
        ("airoboros-7b-gpt4-1.2", f"{PREAMBLE} {NEVER_REFUSES} USER: ", "Airoboros-1.4", "  "),
        ("airophin-v2-13b-PI-8k-fp16", f"{PREAMBLE} {NEVER_REFUSES} USER: ", "Airoboros-1.4", None),
        ("airophin-v2-13b-PI-8k-fp16", None, None, None),
        ("airoboros-l2-13b-2.1", f"{PREAMBLE} {NEVER_REFUSES} USER: ", "Airoboros-2.1", " "),
        ("my-llama", f"{PREAMBLE} {NEVER_REFUSES} USER: ", None, None),
    ],
)
def test_the_card_decides_the_preamble(
    model_folder: ModelFolder, name: str, card: str | None, template: str | None, separator: str | None
) -> None:
    plan = plan_context(read_model_facts(model_folder(name, card=card)), WORKBENCH)
    assert (plan.instruction_template, plan.plainformat_separator) == (template, separator)
    assert plan.stop == (() if template is None else ("USER:", "ASSISTANT:"))


@pytest.mark.parametrize(
    ("name", "trained"),
    [
        ("airoboros-65b-gpt4-m2.0", True),
        ("airoboros-l2-13b-2.2.1", True),
        ("airoboros-l2-70b-3.1.2", True),
        (PI_8192, False),
        ("airophin-v2-13b-PI-8k-fp16", False),
        ("my-llama", False),
    ],
)
def test_the_plan_says_who_was_trained_on_function_calling(model_folder: ModelFolder, name: str, trained: bool) -> None:
    card = f"{PREAMBLE} {NEVER_REFUSES} USER: x ASSISTANT: "
    assert plan_context(read_model_facts(model_folder(name, card=card)), WORKBENCH).function_calling is trained
