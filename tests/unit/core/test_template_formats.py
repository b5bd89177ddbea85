"""The templates as the webuis read them render what ``render_conversation`` does."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.instruction_templates import (
    InstructionTemplate,
    instruction_templates,
    render_conversation,
)
from extensions.airoboros_longctx.core.template_formats import as_jinja, as_jinja_yaml, as_old_yaml, old_fields

jinja2_sandbox = pytest.importorskip("jinja2.sandbox")
#: As the webuis since December 2023 compile a template.
ENVIRONMENT = jinja2_sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
TEMPLATES = list(instruction_templates().values())
HISTORY = [("One?", "1"), ("Two?", "Two\nlines")]
SAID = st.text(st.sampled_from("ab{}%#'\"\\\n <|>é"), min_size=1, max_size=20)


@pytest.fixture(params=TEMPLATES, ids=lambda template: template.name)
def template(request: pytest.FixtureRequest) -> InstructionTemplate:
    return request.param


def messages(question: str | None, history=(), system: str | None = None) -> list[dict[str, str]]:
    found = [{"role": "system", "content": system}] if system is not None else []
    for user, assistant in history:
        found += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
    return found + ([{"role": "user", "content": question}] if question is not None else [])


def rendered(template: InstructionTemplate, found, generation: bool = True, **more) -> str:
    return str(
        ENVIRONMENT.from_string(as_jinja(template)).render(messages=found, add_generation_prompt=generation, **more)
    )


@pytest.mark.parametrize("history", [(), HISTORY], ids=["one turn", "many turns"])
@pytest.mark.parametrize("system", [None, "Be {{ brief }}."])
def test_jinja_renders_the_same(template, history, system):
    expected = render_conversation(template, "Hi.", history, system)
    more = {"bos_token": "<s>", "eos_token": "</s>", "tools": None, "builtin_tools": None}
    assert rendered(template, messages("Hi.", history, system), **more) == expected


@given(SAID, SAID, SAID)
def test_jinja_never_looks_into_what_was_said(question, user, assistant):
    for template in TEMPLATES:
        history = [(user, assistant)]
        assert rendered(template, messages(question, history)) == render_conversation(template, question, history)


def test_what_the_webui_splits_off_for_continue_and_impersonate(template):
    going_on = [
        *messages("Q", HISTORY),
        {"role": "assistant", "content": "MARK"},
        {"role": "assistant", "content": "x"},
    ]
    before = rendered(template, going_on, generation=False).split("MARK")[0]
    assert before.rstrip(" ") == render_conversation(template, "Q", HISTORY).rstrip(" ")
    impersonated = rendered(template, messages("MARK", HISTORY), generation=False).split("MARK")[0]
    assert render_conversation(template, "MARK", HISTORY).split("MARK")[0] == impersonated


def test_bos_only_where_it_is_asked_for(template):
    with_bos = ENVIRONMENT.from_string(as_jinja(template, begins_with_bos=True))
    plain = rendered(template, messages("Hi."))
    found = {"messages": messages("Hi."), "add_generation_prompt": True}
    assert with_bos.render(**found, bos_token="<s>") == "<s>" + plain
    assert with_bos.render(**found) == plain


def test_the_files_hold_the_templates(template):
    assert yaml.safe_load(as_jinja_yaml(template)) == {"instruction_template": as_jinja(template)}
    assert yaml.safe_load(as_old_yaml(template)) == old_fields(template)


@pytest.mark.parametrize("history", [(), HISTORY], ids=["one turn", "many turns"])
def test_the_old_format_by_its_documented_rules(template, history):
    """context, then each turn with its placeholders filled; the prompt ends before the bot's message, blanks cut."""
    fields = old_fields(template)
    turn = fields["turn_template"].replace("<|user|>", fields["user"]).replace("<|bot|>", fields["bot"])
    text = fields["context"]
    for user, assistant in history:
        text += turn.replace("<|user-message|>", user).replace("<|bot-message|>", assistant)
    text += turn.split("<|bot-message|>")[0].replace("<|user-message|>", "Hi.").rstrip(" ")
    assert text == render_conversation(template, "Hi.", history).rstrip(" ")
