"""The plan for a model on a server: window, template, and what nobody can know from here."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.explanation import plan_rows, summary
from extensions.airoboros_longctx.core.load_status import Verdict
from extensions.airoboros_longctx.core.load_verdict import judge
from extensions.airoboros_longctx.core.mechanisms import SERVED
from extensions.airoboros_longctx.core.model_facts import ServedFacts
from extensions.airoboros_longctx.core.planning.served_plan import plan_served_model
from extensions.airoboros_longctx.core.prompts.instruction_templates import InstructionTemplateError

SERVER = "http://127.0.0.1:8080/v1"
PI = "airoboros-33b-gpt4-1.4.1-PI-8192-fp16"


def facts(model="airoboros-65b-gpt4-m2.0", window=4096, source="the server's /props, n_ctx", **more):
    return ServedFacts(model, SERVER, window, source if window else "", **{"counted_by": "llama-server", **more})


def test_the_status_says_that_nothing_is_scaled_or_confirmed():
    plan = plan_served_model(facts())
    status = judge(plan, summary(plan), None)
    assert (plan.mechanism, plan.factor, plan.warnings) == (SERVED, 1.0, ())
    assert status.verdict is Verdict.LEFT_ALONE
    assert status.headline == (
        f"served elsewhere · 4096 tokens · {SERVER} · not scaled by this extension, not confirmed"
    )
    assert status.advice == ""


def test_a_family_that_needs_scaling_is_told_as_advice():
    plan = plan_served_model(facts(PI, 8192))
    status = judge(plan, summary(plan), None)
    assert status.advice == "By its name it needs linear ×4 for 8192 tokens: see that its server was started with that."
    assert (plan.rope_type, plan.factor) == ("default", 1.0)


def test_the_users_context_wins_and_a_longer_one_is_warned_about():
    assert plan_served_model(facts(context_tokens=1024)).truncation_length == 1024
    plan = plan_served_model(facts(context_tokens=8192))
    assert plan.truncation_length == 8192
    assert plan.warnings == (
        "8192 tokens were asked for (--context), but the server says 4096 (the server's /props, n_ctx): "
        "longer prompts may be refused, or cut.",
    )


@pytest.mark.parametrize(
    ("model", "tokens", "whose"),
    [
        ("airoboros-65b-gpt4-m2.0", 2048, "the unscaled window of its family"),
        ("airoboros-l2-13b-gpt4-1.4.1", 4096, "the unscaled window of its family"),
        (PI, 2048, "the unscaled window of its family"),
        ("some-model", 2048, "the base window of the first Llamas"),
    ],
)
def test_a_window_that_nobody_says_is_assumed_and_said(model, tokens, whose):
    plan = plan_served_model(facts(model, None))
    assert plan.truncation_length == tokens
    assert plan.warnings[-1] == (
        f"The server does not say its window: {tokens} tokens are assumed, {whose}. Say it with --context N."
    )


def test_an_estimate_is_said_to_be_one():
    plan = plan_served_model(facts(counted_by=""))
    assert plan.warnings == (
        "This server counts no tokens for others: prompts are measured by an estimate that errs on the safe side.",
    )


@pytest.mark.parametrize(
    ("model", "template", "separator"),
    [
        ("airoboros-65b-gpt4-m2.0", "Airoboros-1.4", " "),
        ("jondurbin/airoboros-33b-gpt4-1.4", "Airoboros-1.4", "\n"),
        ("/models/airoboros-l2-70b-3.1.2.gguf", "Airoboros-3", " "),
        ("C:\\models\\airoboros-l2-70b-2.2.1.gguf", "Airoboros-2.2", " "),
        ("some-model", "Airoboros-1.4", None),
    ],
)
def test_the_template_is_that_of_the_name(model, template, separator):
    plan = plan_served_model(facts(model))
    assert (plan.instruction_template, plan.plainformat_separator) == (template, separator)
    assert plan.stop == (("[INST]",) if template == "Airoboros-3" else ("USER:", "ASSISTANT:"))
    assert plan.function_calling is (separator == " ")


@pytest.mark.parametrize(
    ("model", "template", "separator"),
    [
        ("some-model", "Airoboros-3", " "),
        ("some-model", "Airoboros-1.4", "\n"),
        ("airoboros-65b-gpt4-m2.0", "Airoboros-1.4", " "),
        ("airoboros-65b-gpt4-m2.0", "Airoboros-2.1", " "),
    ],
)
def test_the_users_template_wins(model, template, separator):
    plan = plan_served_model(facts(model, template=template))
    assert (plan.instruction_template, plan.plainformat_separator) == (template, separator)
    assert plan.reason_for("instruction_template").source == "--template"


def test_a_template_that_is_not_there_is_an_error():
    with pytest.raises(InstructionTemplateError, match="Template 'Vicuna' found; one of Airoboros"):
        plan_served_model(facts(template="Vicuna"))


def test_what_is_not_known_of_it_is_not_shown():
    rows = {row.label: row.value for row in plan_rows(plan_served_model(facts(PI, 8192)))}
    assert rows["scaling"] == "served elsewhere"
    assert rows["scaled how"] == "by its server, if at all"
    assert "base window" not in rows
    assert "memory" not in rows


def test_a_hostile_name_is_one_printable_line():
    plan = plan_served_model(facts("evil\n\x1b[31m" + "x" * 1000))
    assert plan.model.isprintable()
    assert len(plan.model) == 200
