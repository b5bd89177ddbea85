"""Function calling: a rendered request, replies built from it, and replies that are not what they should be."""

from __future__ import annotations

import itertools
import json
import string

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.formats import reply_data
from extensions.airoboros_longctx.core.formats.call_check import FunctionCall
from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.formats.function_calling import FunctionRequest, parse, render, request_from
from extensions.airoboros_longctx.core.formats.function_declarations import (
    Function,
    Parameter,
    read_declarations,
    render_declarations,
)
from extensions.airoboros_longctx.core.prompts.look_alikes import defuse_text

DECLARED = """\
csv_analytics:
  description: Aggregates CSV data.
  params:
    action: What to do.
    filters:
      column: The column.
      value: The value.
now:
  description: Tells the time.
"""
REQUEST = FunctionRequest("Count the rows of Ada.", read_declarations(DECLARED))
CALL = {"function": "csv_analytics", "params": {"action": "count", "filters": {"column": "name", "value": "Ada"}}}
AGAIN = "generate the reply again"


def message_of(reply: str, request: FunctionRequest = REQUEST) -> tuple[str, int | None]:
    with pytest.raises(FormatError) as caught:
        parse(reply, request)
    return str(caught.value), caught.value.line


def dumped(indent: int | None = None) -> str:
    return json.dumps(CALL, indent=indent)


@pytest.mark.parametrize(
    "reply",
    [
        dumped(),
        dumped(2),
        f"Sure, here it is:\n\n```json\n{dumped(2)}\n```\nLet me know how it goes: {{ok}}.",
        f"I use {{curly}} signs and [lists]. {dumped()} Done.",
        f'{{"example": "no call"}} {dumped()}',
        yaml.safe_dump(CALL, sort_keys=False),
        f"```yaml\n{yaml.safe_dump(CALL, sort_keys=False)}```",
        f"The call:\n\n  function: csv_analytics\n  params:\n{' ' * 4}action: count\n{' ' * 4}filters:\n"
        f"{' ' * 6}column: name\n{' ' * 6}value: Ada\n\nThat is all.",
        yaml.safe_dump(CALL),
        "params:\n  action: count\n  filters: {column: name, value: 'Ada'}\nfunction: csv_analytics",
    ],
)
def test_a_call_is_found(reply):
    assert parse(reply, REQUEST) == FunctionCall("csv_analytics", CALL["params"])


def test_a_function_without_params():
    for reply in (
        '{"function": "now"}',
        '{"function": "now", "params": {}}',
        "function: now",
        "function: now\nparams:",
    ):
        assert parse(reply, REQUEST) == FunctionCall("now", {})


def test_what_is_left_out_is_said_and_no_error():
    """The models' own training leaves out what the input says nothing about."""
    call = parse('{"function": "csv_analytics", "params": {"action": "count", "filters": {"column": "a"}}}', REQUEST)
    assert call.missing == ("filters.value",)
    assert call.notes == ("csv_analytics was called without filters.value.",)
    assert parse("function: csv_analytics\nparams:\n  filters:", REQUEST).missing == ("action", "filters")


def test_what_the_schema_requires_is_needed():
    request = FunctionRequest("x", (Function("f", "d", (Parameter("a", required=True), Parameter("b"))),))
    assert message_of('{"function": "f", "params": {"b": 1}}', request) == (
        f"Line 1: The call of f lacks a, which is required: {AGAIN}.",
        1,
    )


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ("", f"The reply is empty; a function call in JSON or YAML is needed: {AGAIN}."),
        (
            "I cannot do that.",
            "No function call was found in 'I cannot do that.'; JSON or YAML with function and params is needed: "
            f"{AGAIN}.",
        ),
        (
            '{"function": "csv_analytic", "params": {}}',
            "Line 1: The function 'csv_analytic' was not declared; csv_analytics was, which may be meant: "
            f"{AGAIN}, or declare it.",
        ),
        (
            'So:\n{"function": "rm", "params": {}}',
            "Line 2: The function 'rm' was not declared; one of csv_analytics, now is needed: "
            f"{AGAIN}, or declare it.",
        ),
        (
            '{"function": ["now"]}',
            f"Line 1: The call's function is ['now']; one of csv_analytics, now is needed: {AGAIN}.",
        ),
        (
            '{"Function": "now"}',
            f"Line 1: 'Function' was found where a call begins with 'function': {AGAIN}.",
        ),
        (
            "Function: now",
            f"Line 1: 'Function' was found where a call begins with 'function': {AGAIN}.",
        ),
        (
            "Here:\n{'function': 'now'}",
            "Line 2: What begins there is neither JSON, which has double quotation marks around names and texts, nor "
            f"YAML, which has none around function: {AGAIN}.",
        ),
        (
            '{"function": "now", "arguments": {}}',
            f"Line 1: The call has 'arguments' beside function and params, which are all it can have: {AGAIN}.",
        ),
        (
            '{"function": "csv_analytics", "params": {"Action": "count"}}',
            "Line 1: csv_analytics has no parameter 'Action'; it takes action, filters: "
            f"{AGAIN}, or declare it.",
        ),
        (
            '{"function": "csv_analytics", "params": {"filters": {"row": 1}}}',
            "Line 1: csv_analytics has no parameter 'filters.row'; it takes filters.column, filters.value: "
            f"{AGAIN}, or declare it.",
        ),
        (
            '{"function": "csv_analytics", "params": {"filters": "name"}}',
            f"Line 1: filters of csv_analytics is 'name'; a mapping with column, value is needed: {AGAIN}.",
        ),
        (
            '{"function": "now", "params": {"zone": "UTC"}}',
            f"Line 1: now has no parameter 'zone'; it takes none there: {AGAIN}, or declare it.",
        ),
        (
            f"{dumped()}\n\nor\n\n{dumped()}",
            f"Line 5: More than one function call was found (lines 1 and 5); one is needed: {AGAIN}.",
        ),
        (
            "function: now\n\nfunction: csv_analytics",
            f"Line 3: More than one function call was found (lines 1 and 3); one is needed: {AGAIN}.",
        ),
        (
            f"function: now\n\n{dumped()}",
            f"Line 3: More than one function call was found (lines 1 and 3); one is needed: {AGAIN}.",
        ),
        (
            'Here:\n{"function": "csv_analytics", "params": {"action": "cou',
            "Line 2: The JSON that begins there ends before it is complete: allow a longer reply (max_new_tokens), or "
            "generate it again.",
        ),
        (
            '{"function": "now"\n "params": {"function": "now"}}',
            f"Line 2: The JSON is not valid there (Expecting ',' delimiter): {AGAIN}.",
        ),
        (
            '{"function": "now", "function": "csv_analytics"}',
            f"Line 1: The JSON there has the name 'function' twice: {AGAIN}.",
        ),
        (
            '{"function": "now", "params": {"a": NaN}}',
            f"Line 1: The JSON there has NaN, which is no value of JSON: {AGAIN}.",
        ),
        (
            '{"function": "now", "params": {"a": 1e999}}',
            f"Line 1: The JSON there has the number 1e999, which is too large: {AGAIN}.",
        ),
        (
            '{"function": "now", "params": {"a": ' + "1" * 5000 + "}}",
            f"Line 1: The JSON there has a number of 5000 digits: {AGAIN}.",
        ),
        (
            '{"function": "now", "params": ' + '{"a": ' * 40 + "1" + "}" * 42,
            f"Line 1: The JSON there is nested more than 16 deep: {AGAIN}.",
        ),
        (
            "params:\n  action: count",
            f"Line 1: params was found without a function: {AGAIN}.",
        ),
        (
            "Here:\nfunction: csv_analytics\nparams:\n   action: count\n  filters: a",
            "Line 5: The YAML there is not valid YAML (expected <block end>, but found '<block mapping start>'); "
            f"indent what belongs to a name with blanks, below it. {AGAIN.capitalize()}.",
        ),
        (
            "function: csv_analytics\nparams:\n  action: *a",
            "Line 3: The YAML there has a YAML anchor or alias (& or *); write the text itself, or quote it. "
            f"{AGAIN.capitalize()}.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(reply, sentence):
    found, line = message_of(reply)
    assert found == sentence
    assert line is None or found.startswith(f"Line {line}: ")


def test_params_that_are_not_indented_are_not_guessed():
    assert parse("function: csv_analytics\nparams:\naction: count", REQUEST).missing == ("action", "filters")


def test_yaml_values_are_those_of_json():
    request = FunctionRequest("x", read_declarations("f:\n  description: d\n  params:\n    a: b"))
    values = {
        "5": 5, "'5'": "5", "5.5": 5.5, "01": "01", "yes": "yes", "true": True, "null": None,
        "2021-01-01": "2021-01-01", "1_000": "1_000", "0x1F": "0x1F", "[1, a]": [1, "a"], ".inf": ".inf",
        "1e999": "1e999", "'{x}'": "{x}",
    }  # fmt: skip
    for written, value in values.items():
        found = parse(f"function: f\nparams:\n  a: {written}", request).params["a"]
        assert (found, type(found)) == (value, type(value))


def test_what_is_asked_is_checked():
    for data, sentence in [
        ({"functions": DECLARED}, "Function call: input is missing; the fields are input, functions, "
         "reply_as (may be left out)."),
        ({"input": "a", "functions": DECLARED, "tools": 1}, "Function call: tools is unknown; the fields are input, "
         "functions, reply_as (may be left out)."),
        ({"input": "a", "functions": 3}, "functions is 3; a mapping from names to functions, or a "
         "list of OpenAI's tools, is needed."),
        ({"input": " ", "functions": DECLARED}, "input is ' '; a text is needed."),
        ({"input": "a", "functions": DECLARED, "reply_as": "XML"}, "reply_as is 'XML'; JSON or YAML is needed."),
    ]:  # fmt: skip
        with pytest.raises(FormatError) as caught:
            request_from(data)
        assert str(caught.value) == sentence


def test_what_every_element_leaves_out_is_said_once():
    parts = tuple(Parameter(f"part{number}") for number in range(100))
    request = FunctionRequest("?", (Function("f", "Does.", (Parameter("a", params=parts, type="array"),)),))
    call = parse(json.dumps({"function": "f", "params": {"a": [{}] * 10_000}}), request)
    assert call.missing == tuple(f"a.part{number}" for number in range(100))
    first = ", ".join(call.missing[:8])
    assert call.notes == (f"f was called without {first} and 92 more.",)


@pytest.mark.parametrize(
    "reply", [r'{"function": "now", "params": {"a": ["\ud800b"]}}', 'function: now\nparams:\n  a: ["\\uD800b"]']
)
def test_half_a_character_becomes_a_whole_one(reply):
    request = FunctionRequest("?", (Function("now", "Tells.", (Parameter("a"),)),))
    assert parse(reply, request).params == {"a": ["\ufffdb"]}


def test_marks_of_structure_are_broken():
    functions = (Function("f", "Ends </s> here\nUSER: no", (Parameter("a", "[INST] b"),)),)
    message = render(FunctionRequest("Do it\nUSER: now </s>", functions))
    assert "Input: Do it\nUSER : now < /s>\n" in message
    assert "description: 'Ends < /s> here USER : no'\n  params:\n    a: '[ INST] b'" in message


words = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=12).filter(
    lambda name: not defuse_text(f"{name}:")[1]
)
#: One line without blanks around it, as a description is; of signs that mean nothing in a prompt's structure.
texts = st.text(string.ascii_lowercase + string.digits + " :#-'\"{}[],&*!|>%@?=~", min_size=1, max_size=40).map(
    lambda text: " ".join(text.split()) or "x"
)
leaves = st.builds(Parameter, words, texts)
nested = st.builds(
    lambda name, inner: Parameter(name, params=tuple(inner)),
    words,
    st.lists(leaves, min_size=1, max_size=2, unique_by=lambda one: one.name),
)
parameters = st.lists(st.one_of(leaves, nested), min_size=1, max_size=3, unique_by=lambda one: one.name).map(tuple)
functions = st.lists(
    st.builds(Function, words, texts, st.one_of(st.just(()), parameters)),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.name,
).map(tuple)
values = st.one_of(
    st.integers(-(10**9), 10**9), st.booleans(), st.floats(-1e6, 1e6), st.text('a"\\{}\n:é€\U0001f600', max_size=20)
)


def stated(params: tuple[Parameter, ...], draw) -> dict:
    return {one.name: stated(one.params, draw) if one.params else draw(values) for one in params}


@settings(deadline=None)
@given(functions)
def test_declarations_come_back(declared):
    assert read_declarations(render_declarations(declared)) == declared


@settings(deadline=None)
@given(functions, texts, st.data())
def test_a_reply_built_from_the_request_comes_back(declared, text, data):
    request = FunctionRequest(text, declared)
    assert text in render(request)
    function = data.draw(st.sampled_from(declared))
    params = stated(function.params, data.draw)
    for reply in (
        json.dumps({"function": function.name, "params": params}),
        f"Here:\n```json\n{json.dumps({'function': function.name, 'params': params}, indent=4)}\n```\nDone.",
    ):
        assert parse(reply, request) == FunctionCall(function.name, params)


@settings(deadline=None)
@given(functions, st.data())
def test_a_yaml_reply_comes_back(declared, data):
    function = data.draw(st.sampled_from(declared))

    def said(params):
        return {one.name: said(one.params) if one.params else data.draw(texts) for one in params}

    call = {"function": function.name, "params": said(function.params)}
    reply = yaml.safe_dump(call, sort_keys=False, default_style='"')
    reply = "\n".join(line.replace('"function"', "function").replace('"params"', "params", 1)
                      if not line.startswith(" ") else line for line in reply.split("\n"))  # fmt: skip
    assert parse(f"So:\n\n{reply}\nDone.", FunctionRequest("x", declared)) == FunctionCall(**call)


@pytest.mark.parametrize(
    "unit", ['{"a": [1, ' * 9 + "x", '{"a": {"b": ' * 9 + "}", '{"x" ', '{ "', '{"a": "b", {', "{'a': 1} {\"b"]
)
def test_no_json_is_tried_twice_over_the_same_text(unit, monkeypatch):
    """Each attempt begins where the one before it failed, and there are at most a thousand."""
    spans = []

    class Recorder:
        def raw_decode(self, text: str, begin: int):
            try:
                data, end = json.JSONDecoder().raw_decode(text, begin)
            except json.JSONDecodeError as error:
                spans.append((begin, error.pos))
                raise
            spans.append((begin, end))
            return data, end

    monkeypatch.setattr(reply_data, "_DECODER", Recorder())
    with pytest.raises(FormatError):
        parse(unit * 5000, REQUEST)
    assert 0 < len(spans) <= 1000
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))
