"""The extension's settings: defaults and ranges from settings.yaml, one clear line for whatever does not fit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.settings import Settings, describe_settings, load_settings
from extensions.airoboros_longctx.core.user_rules import UserRule

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner))


def test_settings_yaml_describes_exactly_the_settings_with_their_defaults() -> None:
    assert [setting.name for setting in describe_settings()] == [field.name for field in fields(Settings)]
    assert load_settings({}) == (Settings(), ())
    assert all(setting.meaning.endswith(".") for setting in describe_settings())


def test_good_values_are_used() -> None:
    rule = {"pattern": "my-*", "factor": 4}
    settings, problems = load_settings(
        {"apply_scaling": False, "context_tokens": 8192.0, "model_rules": [rule], "status_refresh_seconds": 2.5}
    )
    assert problems == ()
    assert settings == Settings(False, 8192, (UserRule("my-*", "linear", 4.0),), 2.5)


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (
            {"context": 8192},
            "The setting 'context' is unknown; the settings are apply_scaling, context_tokens, model_rules,"
            " status_refresh_seconds, write_templates, prefix_cache, prefix_cache_memory,"
            " documents_only, documents_name_sources,"
            " documents_without_history, documents_sampling, documents_temperature, documents_when_too_long,"
            " documents_one_instruction_per_line, documents_attachments, documents_from_web, plans_from_web,"
            " plan_step_seconds, api_document_characters, api_tools,"
            " store_documents, documents_folder.",
        ),
        (
            {"context_tokens": "much"},
            "The setting context_tokens is 'much'; a whole number from 0 to 4.1943e+06 is needed, so 0 is used.",
        ),
        (
            {"status_refresh_seconds": 0.1},
            "The setting status_refresh_seconds is 0.1; a number from 1 to 3600 is needed, so 4 is used.",
        ),
        (
            {"documents_when_too_long": "cut"},
            "The setting documents_when_too_long is 'cut'; passages or whole or shorten is needed, so \"passages\" is"
            " used.",
        ),
        ({"apply_scaling": "no"}, "The setting apply_scaling is 'no'; true or false is needed, so true is used."),
        (
            {"model_rules": "all"},
            "model_rules: a list of rules was expected, 'all' was found; no rule is used.",
        ),
        (
            {"model_rules": [{"pattern": "x", "factor": 0}]},
            "model_rules, rule 1: the factor is 0; a number from 1 to 1024 is needed. It is not used.",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named_and_the_default_used(overrides: dict[str, Any], problem: str) -> None:
    problem = problem.replace("4.1943e+06", "4194304")
    assert load_settings(overrides) == (Settings(), (problem,))


@given(
    st.dictionaries(
        st.sampled_from([*(field.name for field in fields(Settings)), "other"]),
        JSON | st.lists(st.dictionaries(st.sampled_from(["pattern", "factor", "rope_type", "x"]), JSON)),
        max_size=6,
    )
)
def test_no_value_raises(overrides: dict[str, Any]) -> None:
    settings, _ = load_settings(overrides)
    assert settings.context_tokens >= 0
    assert all(rule.factor >= 1 for rule in settings.model_rules)


def test_a_value_that_would_be_endless_when_written_out_is_cut():
    """A YAML file of a kilobyte can name one list ten times in the next, a hundred levels deep."""
    bomb: list[object] = ["x"]
    for _ in range(100):
        bomb = [bomb] * 10
    for overrides in ({"apply_scaling": bomb}, {"model_rules": [bomb]}, {"model_rules": [{"pattern": bomb}]}):
        settings, (problem,) = load_settings(overrides)
        assert settings == Settings()
        assert len(problem) < 300
