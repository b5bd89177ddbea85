"""Plans by folder contents: the five models the plan was specified with, and every family."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.capabilities import Capabilities
from extensions.airoboros_longctx.core.explanation import summary
from extensions.airoboros_longctx.core.families import Family, families
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts

from .conftest import ModelFolder
from .known_models import (
    FIRST,
    GPTQ_1_2,
    LXCTX,
    M2_GPTQ,
    PI_8192,
    SEEDS,
    V1_7,
    V4_7_3,
    WORKBENCH,
    because_of,
    warned,
)

REAL_CARDS = Path(__file__).parents[4] / "shared" / "seeds"  # where they lie beside this repository


@pytest.mark.parametrize(
    ("name", "capabilities", "line", "mechanism", "template", "separator"),
    [
        (PI_8192, V1_7, "linear ×4 · 8192 tokens · Transformers", "patch", "Airoboros-1.4", "\n"),
        (PI_8192, V4_7_3, "linear ×4 · 8192 tokens · Transformers", "patch", "Airoboros-1.4", "\n"),
        (LXCTX, V1_7, "linear ×8 · 16384 tokens · AutoGPTQ", "patch", "Airoboros-1.4", "\n"),
        (LXCTX, V4_7_3, "linear ×8 · 16384 tokens · Transformers", "patch", "Airoboros-1.4", "\n"),
        (M2_GPTQ, V1_7, "unscaled · 2048 tokens · ExLlama", "none", "Airoboros-1.4", " "),
        (GPTQ_1_2, V1_7, "unscaled · 2048 tokens · ExLlama", "none", "Airoboros-1.2", "  "),
        (FIRST, V1_7, "unscaled · 2048 tokens · Transformers", "none", "Airoboros-1.2", None),
    ],
)
def test_the_five_models(
    model_folder: ModelFolder,
    name: str,
    capabilities: Capabilities,
    line: str,
    mechanism: str,
    template: str,
    separator: str | None,
) -> None:
    plan = plan_context(read_model_facts(model_folder(name, **SEEDS[name])), capabilities)
    assert summary(plan) == line
    assert (plan.mechanism, plan.instruction_template, plan.plainformat_separator) == (mechanism, template, separator)
    assert plan.original_max_position_embeddings == 2048
    assert plan.max_position_embeddings == 2048 * plan.factor
    assert plan.stop == ("USER:", "ASSISTANT:")


REAL = {
    PI_8192: ("linear ×4 · 8192 tokens · Transformers", "Airoboros-1.4"),
    LXCTX: ("linear ×8 · 16384 tokens · AutoGPTQ", "Airoboros-1.4"),
    M2_GPTQ: ("unscaled · 2048 tokens · ExLlama", "Airoboros-1.4"),
    GPTQ_1_2: ("unscaled · 2048 tokens · ExLlama", "Airoboros-1.2"),
    FIRST: ("unscaled · 2048 tokens · Transformers", "Airoboros-1.2"),
}


@pytest.mark.skipif(not REAL_CARDS.is_dir(), reason="the real model cards are not beside this repository")
@pytest.mark.parametrize("name", REAL)
def test_the_real_cards_are_understood(model_folder: ModelFolder, name: str) -> None:
    card = (REAL_CARDS / f"{name}.txt").read_text(encoding="utf-8")
    plan = plan_context(read_model_facts(model_folder(name, **{**SEEDS[name], "card": card})), V1_7)
    assert (summary(plan), plan.instruction_template) == REAL[name]
    if plan.factor > 1:
        assert "the model card" in (plan.reason_for("factor") or plan.reasons[0]).source


@pytest.mark.parametrize(
    ("branch", "bits", "group_size", "loader"),
    [
        (None, 4, -1, "ExLlama"),
        ("gptq-4bit-32g-actorder_True", 4, 32, "ExLlama"),
        ("gptq-4bit-64g-actorder_True", 4, 64, "ExLlama"),
        ("gptq-4bit-128g-actorder_True", 4, 128, "ExLlama"),
        ("gptq-3bit--1g-actorder_True", 3, -1, "AutoGPTQ"),
        ("gptq-3bit-128g-actorder_True", 3, 128, "AutoGPTQ"),
    ],
)
def test_the_six_branches(
    model_folder: ModelFolder, branch: str | None, bits: int, group_size: int, loader: str
) -> None:
    name = "TheBloke_Airoboros-65B-GPT4-m2.0-GPTQ" + (f"_{branch}" if branch else "")
    quantize = {"bits": bits, "group_size": group_size, "desc_act": True}
    facts = read_model_facts(model_folder(name, quantize_config=quantize))
    if branch is not None:  # the name of a branch says the same, where quantize_config.json is missing
        Path(facts.path, "quantize_config.json").unlink()
        by_name = read_model_facts(facts.path)
        assert facts.quantization is not None
        assert by_name.quantization == replace(facts.quantization, source=f"the name {branch}")
    plan = plan_context(facts, V1_7)
    assert (plan.loader, plan.max_position_embeddings, plan.plainformat_separator) == (loader, 2048, " ")
    assert warned(plan, "desc_act with group size") is (loader == "AutoGPTQ" and group_size > 0)
    if bits == 3:
        assert "these weights have 3 bits" in because_of(plan, "loader")


def _name_of(family: Family) -> str:
    return re.sub(r"\*$", "", family.patterns[0]).replace("*", "13b").replace("13bsuperhot", "13b-superhot")


@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
@pytest.mark.parametrize("capabilities", [V1_7, V4_7_3, WORKBENCH], ids=lambda capabilities: capabilities.host)
def test_base_or_window_in_config_json_gives_the_same_plan(
    model_folder: ModelFolder, family: Family, capabilities: Capabilities
) -> None:
    name = _name_of(family)
    assert family.matches(name)
    plans = []
    for number, written in enumerate([family.original_max_position_embeddings, family.max_position_embeddings]):
        folder = model_folder(f"{number}", config={"max_position_embeddings": written})
        facts = replace(read_model_facts(folder), name=name, model=name, path="")
        plans.append(plan_context(facts, capabilities))
    assert plans[0] == plans[1]
    plan = plans[0]
    assert plan.original_max_position_embeddings == family.original_max_position_embeddings
    assert (plan.rope_type, plan.factor) == (family.rope_type, family.factor)
    assert plan.max_position_embeddings == family.max_position_embeddings
    assert plan.mechanism == ("none" if family.factor == 1 else "patch")
    assert plan.suggestion is None


@pytest.mark.parametrize(
    ("name", "rope_type", "factor", "base"),
    [
        ("airoboros-33b-gpt4-1.4.1-NTK-16384-fp16", "ntk", 8, 2048),
        ("airophin-13b-pntk-16k-fp16", "ntk_by_parts", 4, 4096),
    ],
)
def test_every_method_of_the_families_is_applied_by_the_patch(
    model_folder: ModelFolder, name: str, rope_type: str, factor: float, base: int
) -> None:
    plan = plan_context(read_model_facts(model_folder(name, config={"max_position_embeddings": base})), WORKBENCH)
    assert (plan.rope_type, plan.factor, plan.mechanism) == (rope_type, factor, "patch")
    assert (plan.original_max_position_embeddings, plan.truncation_length) == (base, 16384)
    assert not warned(plan, "Not scaled")
