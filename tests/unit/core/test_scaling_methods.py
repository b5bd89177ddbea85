"""NTK and NTK by parts in the plan: who applies them, and that linear scaling and NTK are never combined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.context_plan import ContextPlan, PlanRequest
from extensions.airoboros_longctx.core.explanation import explain, summary
from extensions.airoboros_longctx.core.load_status import LoadStatus, Verdict
from extensions.airoboros_longctx.core.load_verdict import judge
from extensions.airoboros_longctx.core.planning.planner import plan_context
from extensions.airoboros_longctx.core.reading.model_folder import read_model_facts
from extensions.airoboros_longctx.core.rope_scaling import RopeReading, RopeScaling
from extensions.airoboros_longctx.core.user_rules import UserRule

from .conftest import ModelFolder
from .known_models import (
    GPTQ_4BIT,
    LINEAR_4,
    PI_8192,
    PI_8192_CARD,
    V1_7,
    V4_7_3,
    WORKBENCH,
    because_of,
    warned,
)

NTK = "airoboros-33b-gpt4-1.4.1-NTK-16384-GPTQ"
BY_PARTS = "airophin-13b-pntk-16k-GPTQ"


def plan_of(model_folder: ModelFolder, name: str, request: PlanRequest, **contents: Any) -> ContextPlan:
    return plan_context(read_model_facts(model_folder(name, **contents)), V1_7, request)


@pytest.mark.parametrize("loader", ["Transformers", "AutoGPTQ"])
@pytest.mark.parametrize(("name", "scaling"), [(NTK, ("ntk", 8)), (BY_PARTS, ("ntk_by_parts", 4))])
def test_loaders_that_build_transformers_llama_are_patched(
    model_folder: ModelFolder, name: str, scaling: tuple[str, float], loader: str
) -> None:
    plan = plan_of(model_folder, name, PlanRequest(loader=loader), quantize_config=GPTQ_4BIT)
    assert (plan.rope_type, plan.factor, plan.mechanism, plan.truncation_length) == (*scaling, "patch", 16384)


@pytest.mark.parametrize("loader", ["ExLlama", "ExLlama_HF", "ExLlamav2", "llama.cpp"])
def test_a_loader_with_a_setting_of_its_own_is_told_alpha(model_folder: ModelFolder, loader: str) -> None:
    plan = plan_of(model_folder, NTK, PlanRequest(loader=loader), quantize_config=GPTQ_4BIT)
    assert (plan.rope_type, plan.factor, plan.mechanism) == ("ntk", 8, "loader_setting")
    assert because_of(plan, "mechanism") == f"{loader} changes the rotary base by itself when it is told alpha"


@pytest.mark.parametrize("loader", ["ExLlama", "ExLlamav2_HF", "llama.cpp"])
def test_by_parts_cannot_be_done_by_a_loaders_setting(model_folder: ModelFolder, loader: str) -> None:
    plan = plan_of(model_folder, BY_PARTS, PlanRequest(loader=loader), quantize_config=GPTQ_4BIT)
    assert (plan.rope_type, plan.mechanism, plan.truncation_length) == ("ntk_by_parts", "none", 4096)
    assert (
        f"Not scaled: {loader} has no setting for ntk_by_parts scaling, and this model needs ntk_by_parts ×4. It cannot"
        " be scaled here: use Transformers or AutoGPTQ, with unquantised or GPTQ weights. With this loader keep to the"
        " base window of 4096 tokens."
    ) in plan.warnings


def test_llama_cpp_without_settings_is_helped_with_the_base(model_folder: ModelFolder) -> None:
    facts = read_model_facts(model_folder(NTK, config={"rope_theta": 10000.0}, files=("model.q4_0.gguf",)))
    plan = plan_context(facts, replace(V4_7_3, mechanisms={"llama.cpp": "none"}))
    assert (plan.loader, plan.mechanism, plan.truncation_length) == ("llama.cpp", "none", 2048)
    assert warned(plan, "needs ntk ×8", "give llama.cpp --rope-freq-base 82685 as extra flags")  # 10000 × 8^(128/126)


@pytest.mark.parametrize(("rope_type", "window"), [("ntk", 8192), ("ntk_by_parts", 8192), ("linear", 8192)])
@pytest.mark.parametrize("written", [2048, 8192])
def test_a_rule_may_name_any_applicable_method(
    model_folder: ModelFolder, rope_type: str, window: int, written: int
) -> None:
    folder = model_folder("my-llama", config={"max_position_embeddings": written})
    plan = plan_context(read_model_facts(folder), WORKBENCH, PlanRequest(rules=(UserRule("my-*", rope_type, 4.0),)))
    assert (plan.rope_type, plan.factor, plan.mechanism) == (rope_type, 4, "patch")
    assert (plan.original_max_position_embeddings, plan.max_position_embeddings) == (2048, window)


def test_a_method_that_nobody_here_applies_says_so(model_folder: ModelFolder) -> None:
    rule = UserRule("my-*", "yarn", 4.0)
    plan = plan_context(read_model_facts(model_folder("my-llama")), WORKBENCH, PlanRequest(rules=(rule,)))
    assert (plan.rope_type, plan.factor, plan.mechanism, plan.truncation_length) == ("yarn", 1, "none", 2048)
    assert (
        "Not scaled: your rule for “my-*” says yarn scaling, and this extension does not apply that method."
        " Keep to the base window of 2048 tokens."
    ) in plan.warnings


@pytest.mark.parametrize("rope_type", ["yarn", "llama3", "longrope", "dynamic", "ntk", "ntk_by_parts"])
def test_config_jsons_own_methods_are_left_to_their_owner(model_folder: ModelFolder, rope_type: str) -> None:
    stated = {"rope_scaling": {"rope_type": rope_type, "factor": 4.0}}
    plan = plan_context(read_model_facts(model_folder("some-llama", config=stated)), WORKBENCH)
    assert (plan.rope_type, plan.mechanism) == (rope_type, "model_config")
    assert because_of(plan, "mechanism").endswith("and Transformers runs it; this extension leaves it alone")


# ------------------------------------------------------------------------------------- linear and NTK, never both


FACTOR_8 = {"host_factor": 8.0, "host_factor_source": "--compress_pos_emb"}
ALPHA_2 = {"host_alpha": 2.0, "host_alpha_source": "--alpha_value"}


def test_a_linear_factor_given_for_an_ntk_model_wins_alone(model_folder: ModelFolder) -> None:
    plan = plan_of(model_folder, NTK, PlanRequest(**FACTOR_8))
    assert (plan.rope_type, plan.factor) == ("linear", 8)
    assert warned(
        plan, "You, by --compress_pos_emb says linear ×8, but the table of model families", "Your word counts; the two"
    )
    assert warned(plan, "says ntk ×8 for 16384 tokens. Your word counts; the two are never combined.")


def test_an_alpha_given_for_a_linear_model_wins_alone(model_folder: ModelFolder) -> None:
    plan = plan_of(model_folder, PI_8192, PlanRequest(**ALPHA_2), card=PI_8192_CARD)
    assert (plan.rope_type, plan.factor, plan.max_position_embeddings) == ("ntk", 2, 4096)
    assert (
        "You, by --alpha_value says ntk ×2, but the model card (README.md) says linear ×4 for 8192 tokens."
        " Your word counts; the two are never combined."
    ) in plan.warnings


@pytest.mark.parametrize(
    ("name", "rope_type", "factor"), [(NTK, "ntk", 2), (PI_8192, "linear", 8), ("my-llama", "linear", 8)]
)
def test_of_both_knobs_the_models_own_method_wins(
    model_folder: ModelFolder, name: str, rope_type: str, factor: float
) -> None:
    plan = plan_of(model_folder, name, PlanRequest(**FACTOR_8, **ALPHA_2))
    assert (plan.rope_type, plan.factor) == (rope_type, factor)
    assert warned(plan, "You, by --", "but you, by --", "Your word counts; the two are never combined.")
    assert ("by --alpha_value" if rope_type == "ntk" else "by --compress_pos_emb") in explain(plan)


def test_a_neutral_knob_says_nothing_beside_the_other(model_folder: ModelFolder) -> None:
    both = plan_of(model_folder, "my-llama-1", PlanRequest(**{**FACTOR_8, "host_factor": 1.0}, **ALPHA_2))
    assert (both.rope_type, both.factor) == ("ntk", 2)
    assert not warned(both, " says ")
    neither = plan_of(model_folder, PI_8192, PlanRequest(host_factor=1.0, host_alpha=1.0), card=PI_8192_CARD)
    assert (neither.rope_type, neither.factor) == ("default", 1)


def test_an_unusable_alpha_is_named_and_not_used(model_folder: ModelFolder) -> None:
    plan = plan_of(model_folder, NTK, PlanRequest(host_alpha=0.5, host_alpha_source="--alpha_value"))
    assert (plan.rope_type, plan.factor) == ("ntk", 8)
    assert (
        "What --alpha_value says is not used: its alpha is 0.5, and a number from 1 to 1024 is needed." in plan.warnings
    )


def test_an_ntk_rule_over_a_linear_config_replaces_it(model_folder: ModelFolder) -> None:
    plan = plan_of(model_folder, "my-llama", PlanRequest(rules=(UserRule("*", "ntk", 8.0),)), config=LINEAR_4)
    assert (plan.rope_type, plan.factor, plan.mechanism) == ("ntk", 8, "patch")
    assert warned(plan, "says ntk ×8, but config.json rope_scaling says linear ×4", "never combined")


# --------------------------------------------------------------------------------------------------- the verdict


def reading(rope_type: str, factor: float | None, window: int | None = None) -> RopeReading:
    return RopeReading(rope_type, factor, 128, 10000.0, 1, 0.0, original_max_position_embeddings=window)


def verdict_on(plan: ContextPlan, read: RopeReading) -> LoadStatus:
    return judge(plan, summary(plan), read)


def test_what_agrees_is_confirmed(model_folder: ModelFolder) -> None:
    for name, read, begins in (
        (NTK, reading("ntk", 8.0), "ntk ×8 · 16384 tokens · AutoGPTQ"),
        (BY_PARTS, reading("ntk_by_parts", 4.0, 4096), "ntk_by_parts ×4 · 16384 tokens · AutoGPTQ"),
    ):
        status = verdict_on(plan_of(model_folder, name, PlanRequest(loader="AutoGPTQ")), read)
        assert (status.verdict, status.headline) == (Verdict.CONFIRMED, f"{begins} · confirmed on the live model")


@pytest.mark.parametrize(
    ("name", "read", "found"),
    [
        (NTK, reading("default", 1.0), "×1"),
        (NTK, reading("ntk", 4.0), "×4"),
        (NTK, reading("linear", 8.0), "linear ×8"),
        (NTK, reading("dynamic", None), "dynamic scaling"),
        (BY_PARTS, reading("default", 1.0), "×1"),
        (BY_PARTS, reading("linear", 4.0), "linear ×4"),
        (BY_PARTS, reading("ntk", 4.0), "ntk ×4"),
        (BY_PARTS, reading("ntk_by_parts", 4.0, 2048), "×4 of 2048 tokens"),
        (BY_PARTS, reading("other", None), "no scaling known here"),
        (PI_8192, reading("ntk", 4.0), "ntk ×4"),
        (PI_8192, reading("linear", 2.0), "×2"),
        (PI_8192, reading("default", 1.0), "×1"),
        ("my-llama", reading("linear", 2.0), "×2"),
        ("my-llama", reading("ntk", 2.0), "ntk ×2"),
    ],
)
def test_what_does_not_agree_is_wrong_and_named(
    model_folder: ModelFolder, name: str, read: RopeReading, found: str
) -> None:
    status = verdict_on(plan_of(model_folder, name, PlanRequest(loader="AutoGPTQ")), read)
    assert status.verdict is Verdict.WRONG
    assert status.headline.endswith(f" · AutoGPTQ · but the live model runs {found}")
    assert status.advice == "Its answers will be wrong. Reload the model; if this stays, load it with another loader."


def test_what_config_json_states_of_others_is_not_judged(model_folder: ModelFolder) -> None:
    stated = {"rope_scaling": {"rope_type": "ntk", "factor": 8.0}}
    plan = plan_of(model_folder, "some-llama", PlanRequest(loader="Transformers"), config=stated)
    status = verdict_on(plan, reading("default", 1.0))
    assert (status.verdict, status.headline.rpartition(" · ")[2]) == (
        Verdict.LEFT_ALONE,
        "left to the model's own code",
    )


def test_a_reading_agrees_with_a_whole_scaling() -> None:
    linear, ntk, parts = (RopeScaling(method, 4.0, 4096) for method in ("linear", "ntk", "ntk_by_parts"))
    read = {"linear": reading("linear", 4.0004), "ntk": reading("ntk", 3.9996)}
    assert read["linear"].agrees_with(linear)
    assert read["ntk"].agrees_with(ntk)
    assert not read["linear"].agrees_with(ntk)
    assert not read["ntk"].agrees_with(linear)
    assert not read["linear"].agrees_with(RopeScaling("linear", 4.01))
    assert reading("ntk_by_parts", 4.0, 4096).agrees_with(parts)
    assert not reading("ntk_by_parts", 4.0, 2048).agrees_with(parts)
    assert not reading("other", None).agrees_with(RopeScaling())
    for method in ("default", "linear", "ntk", "ntk_by_parts"):  # a factor of 1 is no scaling, whatever it is called
        assert reading("default", 1.0).agrees_with(RopeScaling(method, 1.0))
