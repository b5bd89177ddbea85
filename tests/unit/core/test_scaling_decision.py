"""Who is believed about the scaling, what a contradiction looks like, and what is only suggested."""

from __future__ import annotations

from typing import Any

import pytest

from extensions.airoboros_longctx.core.context_plan import PlanRequest
from extensions.airoboros_longctx.core.explanation import explain
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts
from extensions.airoboros_longctx.core.user_rules import UserRule

from .conftest import ModelFolder
from .known_models import (
    LINEAR_4,
    LXCTX_CARD,
    PI_8192,
    PI_8192_CARD,
    WORKBENCH,
    warned,
)

RULE = UserRule("*PI-8192*", "linear", 2.0)


@pytest.mark.parametrize(
    ("name", "config", "card", "request_", "factor", "source"),
    [
        (PI_8192, LINEAR_4, PI_8192_CARD, PlanRequest(host_factor=8, rules=(RULE,)), 2, "your rule for “*PI-8192*”"),
        (
            PI_8192,
            LINEAR_4,
            PI_8192_CARD,
            PlanRequest(host_factor=8, host_factor_source="--compress_pos_emb"),
            8,
            "you, by --compress_pos_emb",
        ),
        (PI_8192, LINEAR_4, LXCTX_CARD, PlanRequest(), 4, "config.json rope_scaling"),
        (PI_8192, {}, LXCTX_CARD, PlanRequest(), 8, "the model card (README.md)"),
        (PI_8192, {}, None, PlanRequest(), 4, "the table of model families"),
        ("my-llama", {}, None, PlanRequest(), 1, "config.json max_position_embeddings"),
        ("my-llama", {"max_position_embeddings": None}, None, PlanRequest(), 1, "the window of the first Llama"),
    ],
    ids=["rule", "host", "config", "card", "family", "config number", "nothing"],
)
def test_the_most_trusted_statement_wins(
    model_folder: ModelFolder,
    name: str,
    config: dict[str, Any],
    card: str | None,
    request_: PlanRequest,
    factor: float,
    source: str,
) -> None:
    plan = plan_context(read_model_facts(model_folder(name, config=config, card=card)), WORKBENCH, request_)
    assert plan.factor == factor
    assert (plan.reason_for("factor") or plan.reasons[0]).source.startswith(source)
    assert (plan.original_max_position_embeddings, plan.max_position_embeddings) == (2048, 2048 * factor)


@pytest.mark.parametrize(
    ("config", "card", "request_", "first", "second"),
    [
        (LINEAR_4, LXCTX_CARD, PlanRequest(), "Config.json", "the model card"),
        ({}, LXCTX_CARD, PlanRequest(), "The model card (README.md) says linear ×8 for 16384", "the table of model"),
        (
            {},
            PI_8192_CARD,
            PlanRequest(host_factor=8),
            "You, by the host's settings says linear ×8",
            "Your word counts",
        ),
        ({}, PI_8192_CARD, PlanRequest(host_factor=1), "says no scaling", "says linear ×4 for 8192"),
        ({}, PI_8192_CARD, PlanRequest(rules=(RULE,)), "Your rule for “*PI-8192*” says linear ×2", "linear ×4"),
        ({"rope_scaling": {"type": "yarn", "factor": 4.0}}, PI_8192_CARD, PlanRequest(), "yarn ×4", "linear ×4"),
    ],
)
def test_a_contradiction_names_both_and_is_never_stacked(
    model_folder: ModelFolder, config: dict[str, Any], card: str, request_: PlanRequest, first: str, second: str
) -> None:
    plan = plan_context(read_model_facts(model_folder(PI_8192, config=config, card=card)), WORKBENCH, request_)
    assert warned(plan, first.replace("Config", "config"), second)
    assert plan.factor in (1, 2, 4, 8)


def test_agreement_is_silent(model_folder: ModelFolder) -> None:
    folder = model_folder(PI_8192, config=LINEAR_4, card=PI_8192_CARD)
    plan = plan_context(read_model_facts(folder), WORKBENCH, PlanRequest(host_factor=4))
    assert not warned(plan, " says ")


def test_the_users_factor_overrides_config_json_by_the_patch(model_folder: ModelFolder) -> None:
    facts = read_model_facts(model_folder("my-llama", config=LINEAR_4))
    for factor in (1, 8):
        plan = plan_context(facts, WORKBENCH, PlanRequest(host_factor=factor))
        assert (plan.factor, plan.mechanism) == (factor, "patch")


@pytest.mark.parametrize("factor", [0.0, -4.0, 0.25, float("nan"), float("inf"), 1e9])
def test_an_unusable_factor_is_named_and_not_used(model_folder: ModelFolder, factor: float) -> None:
    rules = (UserRule("*", "linear", factor),)
    for request in (PlanRequest(host_factor=factor), PlanRequest(rules=rules)):
        plan = plan_context(read_model_facts(model_folder(f"{PI_8192}-{len(request.rules)}")), WORKBENCH, request)
        assert plan.factor == 4
        assert warned(plan, "is not used", "a number from 1 to 1024 is needed")


def test_a_rule_names_one_model_or_many(model_folder: ModelFolder) -> None:
    facts = read_model_facts(model_folder("my-llama[1]"))
    for pattern in ("my-llama[1]", "MY-LLAMA*", "*"):
        rule = UserRule(pattern, "linear", 2.0, original_max_position_embeddings=4096)
        plan = plan_context(facts, WORKBENCH, PlanRequest(rules=(UserRule("other*", factor=8), rule)))
        assert (plan.factor, plan.max_position_embeddings) == (2, 8192)


def test_config_jsons_number_is_cross_checked_with_the_card(model_folder: ModelFolder) -> None:
    folder = model_folder("my-llama", config={"max_position_embeddings": 3000}, card=PI_8192_CARD)
    plan = plan_context(read_model_facts(folder), WORKBENCH)
    assert (plan.original_max_position_embeddings, plan.max_position_embeddings) == (2048, 8192)
    assert warned(plan, "max_position_embeddings is 3000", "neither the base window (2048) nor the window (8192)")


@pytest.mark.parametrize("written", [2048, 8192])
def test_a_factor_without_a_window(model_folder: ModelFolder, written: int) -> None:
    folder = model_folder("my-llama", config={"max_position_embeddings": written}, card="set compress_pos_emb to 4")
    plan = plan_context(read_model_facts(folder), WORKBENCH)
    assert (plan.original_max_position_embeddings, plan.max_position_embeddings) == (2048, 8192)


def test_a_card_that_contradicts_itself_leaves_it_to_the_family(model_folder: ModelFolder) -> None:
    plan = plan_context(read_model_facts(model_folder(PI_8192, card=f"{PI_8192_CARD}\n\n{LXCTX_CARD}")), WORKBENCH)
    assert plan.factor == 4
    assert warned(plan, "The model card contradicts itself")


@pytest.mark.parametrize(
    ("name", "config", "suggested"),
    [
        ("my-llama-PI-8192", {}, (4, 2048)),
        ("my-llama-8k", {"max_position_embeddings": 8192}, (4, 2048)),
        ("my-l2-llama-16k-GPTQ", {"max_position_embeddings": 16384}, (4, 4096)),
        ("my-llama-16k", {"max_position_embeddings": 4096}, (4, 4096)),
        ("airoboros-l2-13b-gpt4-PI-8k", {"max_position_embeddings": 4096}, (2, 4096)),
        ("my-llama", {}, None),
        ("my-llama-13b-q4_k_m", {}, None),
        ("my-llama-16k-yarn", {}, None),
        ("codellama-16k", {"rope_theta": 1e6}, None),
        ("mistral-16k", {"model_type": "mistral"}, None),
        ("my-llama-16k", {**LINEAR_4, "max_position_embeddings": 4096}, None),
        (PI_8192, {}, None),
    ],
)
def test_a_name_alone_is_a_suggestion_and_never_applied(
    model_folder: ModelFolder, name: str, config: dict[str, Any], suggested: tuple[float, int] | None
) -> None:
    plan = plan_context(read_model_facts(model_folder(name, config=config)), WORKBENCH)
    if suggested is None:
        assert plan.suggestion is None
        return
    assert plan.suggestion is not None
    scaling = plan.suggestion.scaling
    assert (scaling.factor, scaling.original_max_position_embeddings) == suggested
    assert (plan.factor, plan.mechanism) == (1, "none")
    assert "Suggestion, not applied" in explain(plan)
