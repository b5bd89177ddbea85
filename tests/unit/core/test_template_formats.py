"""The templates as the webuis read them render what ``render_conversation`` does."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.prompts.instruction_templates import (
    InstructionTemplate,
    instruction_template,
    instruction_templates,
    render_conversation,
)
from extensions.airoboros_longctx.core.prompts.template_formats import as_jinja, as_jinja_yaml, as_old_yaml, old_fields

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
    finished = render_conversation(template, "more", [*HISTORY, ("Q", "MARK")])
    assert before == finished.split("MARK")[0]
    impersonated = rendered(template, messages("MARK", HISTORY), generation=False).split("MARK")[0]
    assert render_conversation(template, "MARK", HISTORY).split("MARK")[0] == impersonated


def test_finished_turns_without_a_prompt_for_a_reply(template):
    following = render_conversation(template, "MARK", HISTORY).split("MARK")[0]
    begins, _, _ = template.later_turn.partition("{user}")
    assert rendered(template, messages(None, HISTORY), generation=False) + begins == following


@pytest.mark.parametrize("generation", [True, False])
def test_a_question_that_was_not_answered_is_closed_before_the_next_one(template, generation):
    """The newer webuis leave an empty reply out of the messages; v1.7 and the workbench keep it as an empty reply."""
    found = [*messages("Stopped", HISTORY), *messages("MARK")]
    expected = render_conversation(template, "MARK", [*HISTORY, ("Stopped", "")])
    assert rendered(template, found, generation).split("MARK")[0] == expected.split("MARK")[0]
    alone = [*messages("Stopped"), *messages("Hi.")]
    assert rendered(template, alone) == render_conversation(template, "Hi.", [("Stopped", "")])


def test_how_webuis_up_to_v3_11_find_a_turns_beginning_and_end(template):
    """They render two turns of one role, and take what stands between the contents, less what stands after them."""

    def between_and_after(role):
        pair = [{"role": role, "content": "MARK"}, {"role": role, "content": "MARK"}]
        return rendered(template, pair, generation=False).split("MARK")[1:]

    begins, _, ends = template.later_turn.partition("{user}")
    before, _, after = template.reply.partition("{assistant}")
    assert between_and_after("user") == [begins, ""]
    assert between_and_after("assistant") == [after + ends + before, after]


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_no_turn_at_all_is_an_empty_question(template, system):
    assert rendered(template, messages(None, (), system)) == render_conversation(template, "", (), system)


def test_no_turn_and_no_reply_stops_where_a_users_turn_begins():
    """The webuis up to v3.11 render no messages at all, and then add what a user's turn begins with."""
    template = instruction_template("Airoboros-1.2")
    assert rendered(template, [], generation=False) == f"{template.system} "
    assert rendered(template, messages(None, (), "Be brief."), generation=False) == "Be brief. "


def test_other_roles_are_not_part_of_the_format(template):
    found = [*messages(None, HISTORY), {"role": "tool", "content": "x"}, *messages("Hi.")]
    assert rendered(template, found) == render_conversation(template, "Hi.", HISTORY)


@pytest.mark.parametrize(
    "text", ["\"'\\", "{{ 7 * 7 }}{% raw %}{# no #}", "é日本語🙂", "line\nline\ttab", "\x7f", "-%}", "\u2028"]
)
def test_any_template_text_survives_jinja(text):
    template = InstructionTemplate(
        "X",
        (),
        "",
        text,
        f"{text}{{system}}{text}{{user}}{text}",
        f"{text}{{user}}{text}",
        f"{{assistant}}{text}",
        text,
        (),
    )
    assert rendered(template, messages("Hi.", HISTORY)) == render_conversation(template, "Hi.", HISTORY)


def test_bos_only_where_it_is_asked_for(template):
    with_bos = ENVIRONMENT.from_string(as_jinja(template, begins_with_bos=True))
    plain = rendered(template, messages("Hi."))
    found = {"messages": messages("Hi."), "add_generation_prompt": True}
    assert with_bos.render(**found, bos_token="<bos>") == "<bos>" + plain
    assert with_bos.render(**found, bos_token="") == plain  # a model that has none
    assert with_bos.render(**found) == with_bos.render(**found, bos_token=None) == "<s>" + plain
    assert "<s>" not in plain


def test_the_files_hold_the_templates(template):
    assert yaml.safe_load(as_jinja_yaml(template)) == {"instruction_template": as_jinja(template)}
    assert yaml.safe_load(as_old_yaml(template)) == old_fields(template)


def test_the_jinja_is_readable_in_its_file(template):
    first, *lines = as_jinja_yaml(template).splitlines()
    assert first == "instruction_template: |-"
    assert [line[2:] for line in lines] == as_jinja(template).splitlines()


def test_a_user_without_a_name_is_not_named_in_the_turn(template):
    """The webuis up to v1.5 keep the last template's name where a file has none."""
    fields = old_fields(template)
    assert ("<|user|>" in fields["turn_template"]) == bool(fields["user"])
    assert set(fields) == {"user", "bot", "turn_template", "context"}


@pytest.mark.parametrize(
    "history", [(), HISTORY, [*HISTORY, ("Stopped", "")]], ids=["one turn", "many turns", "unanswered"]
)
def test_the_old_format_by_its_documented_rules(template, history):
    """context, then each turn with its placeholders filled; the prompt ends before the bot's message, blanks cut."""
    fields = old_fields(template)
    turn = fields["turn_template"].replace("<|user|>", fields["user"]).replace("<|bot|>", fields["bot"])
    text = fields["context"]
    for user, assistant in history:
        text += turn.replace("<|user-message|>", user).replace("<|bot-message|>", assistant)
    text += turn.split("<|bot-message|>")[0].replace("<|user-message|>", "Hi.").rstrip(" ")
    assert text == render_conversation(template, "Hi.", history).rstrip(" ")
