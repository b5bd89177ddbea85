"""OpenAI's ``tools`` become declarations, and a parsed call an entry of ``tool_calls`` with the schema's types."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.formats.call_check import FunctionCall
from extensions.airoboros_longctx.core.formats.call_table import CallRow, call_rows
from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.formats.function_calling import FunctionRequest, parse, request_from
from extensions.airoboros_longctx.core.formats.function_declarations import Function, Parameter, render_declarations
from extensions.airoboros_longctx.core.formats.openai_tools import functions_of_tools, tool_call, tools_of_functions
from tests.unit.core.test_function_calling import functions as declared_functions

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather\nof a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "City and country"},
                "days": {"type": "integer", "description": "How many days"},
                "unit": {"type": ["string", "null"], "enum": ["C", "F"]},
                "exact": {"type": "boolean"},
                "share": {"type": "number", "description": "Of the sky"},
                "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags"},
                "options": {
                    "type": "object",
                    "description": "How to show it",
                    "properties": {"wide": {"type": "boolean", "description": "Wide"}},
                    "required": ["wide"],
                },
                "stops": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"at": {"type": "integer", "description": "Hour"}}},
                },
                "other": {"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "Anything"},
            },
            "required": ["place"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
DECLARED = """\
get_weather:
  description: Get the weather of a place. (options = How to show it) (stops = A list of these.)
  params:
    place: City and country (string)
    days: How many days (integer)
    unit: string; one of "C", "F"
    exact: boolean
    share: Of the sky (number)
    tags: Tags (array of string)
    options:
      wide: Wide (boolean)
    stops:
      at: Hour (integer)
    other: Anything"""


def test_tools_are_rendered_as_the_models_know_functions():
    assert render_declarations(functions_of_tools([WEATHER])) == DECLARED


def test_tools_come_back():
    functions = functions_of_tools([WEATHER])
    tools = tools_of_functions(functions)
    assert functions_of_tools(tools) == functions
    assert (
        tools[0]["function"]["parameters"]["properties"]["options"]
        == (WEATHER["function"]["parameters"]["properties"]["options"])
    )


@settings(deadline=None)
@given(declared_functions)
def test_declarations_come_back_through_tools(declared):
    back = functions_of_tools(json.loads(json.dumps(tools_of_functions(declared))))
    assert render_declarations(back) == render_declarations(declared)


def called(params: dict) -> object:
    functions = functions_of_tools([WEATHER])
    reply = json.dumps({"function": "get_weather", "params": {"place": "Oslo", **params}})
    entry = tool_call(parse(reply, FunctionRequest("x", functions)), functions, "call_1")
    assert (entry["id"], entry["type"], entry["function"]["name"]) == ("call_1", "function", "get_weather")
    arguments = json.loads(entry["function"]["arguments"])
    assert arguments.pop("place") == "Oslo"
    return arguments


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ({"days": "5"}, {"days": 5}),
        ({"days": " 5 "}, {"days": 5}),
        ({"days": 5.0}, {"days": 5}),
        ({"share": "0.25"}, {"share": 0.25}),
        ({"share": 1}, {"share": 1}),
        ({"share": "-3"}, {"share": -3}),
        ({"exact": "True"}, {"exact": True}),
        ({"tags": [1, True, "a"]}, {"tags": ["1", "true", "a"]}),
        ({"options": {"wide": "false"}}, {"options": {"wide": False}}),
        ({"stops": [{"at": "7"}, {}]}, {"stops": [{"at": 7}, {}]}),
        ({"unit": None, "other": {"any": [1]}}, {"other": {"any": [1]}}),
        ({"unit": "C", "other": "5"}, {"unit": "C", "other": "5"}),
    ],
)
def test_types_where_nothing_is_lost(said, given):
    found = called(said)
    assert found == given
    assert json.dumps(found, sort_keys=True) == json.dumps(given, sort_keys=True)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"days": "five"}, "get_weather.days is 'five'; a whole number is needed."),
        ({"days": 5.5}, "get_weather.days is 5.5; a whole number is needed."),
        ({"days": 1e300}, "get_weather.days is 1e+300; a whole number is needed."),
        ({"days": True}, "get_weather.days is True; a whole number is needed."),
        ({"days": "05"}, "get_weather.days is '05'; a whole number is needed."),
        ({"share": "1.00000000000000001"}, "get_weather.share is '1.00000000000000001'; a number is needed."),
        ({"exact": 1}, "get_weather.exact is 1; true or false is needed."),
        ({"exact": "yes"}, "get_weather.exact is 'yes'; true or false is needed."),
        ({"unit": "K"}, "get_weather.unit is 'K'; one of 'C', 'F' is needed."),
        ({"unit": 1.1}, "get_weather.unit is 1.1; a text is needed."),
        ({"tags": "a"}, "get_weather.tags is 'a'; a list is needed."),
        ({"tags": [[1]]}, "get_weather.tags[0] is [1]; a text is needed."),
        ({"stops": [{"at": "x"}]}, "get_weather.stops[0].at is 'x'; a whole number is needed."),
    ],
)
def test_what_would_be_guessed_is_refused(said, sentence):
    with pytest.raises(FormatError) as caught:
        called(said)
    assert str(caught.value) == sentence


def test_what_a_part_requires_is_needed():
    with pytest.raises(FormatError, match=r"The call of get_weather lacks options\.wide, which is required"):
        called({"options": {}})


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        (None, "tools is None; a list with at least one function is needed."),
        ([], "tools is []; a list with at least one function is needed."),
        ([3], "tools[0] is 3; a mapping with type and function is needed."),
        ([{"type": "retrieval"}], "tools[0].type is 'retrieval'; only tools of the type 'function' are known."),
        ([WEATHER, {"type": "function"}], "tools[1].function is None; a mapping with name, description and parameters "
         "is needed."),
        ([{"function": {"name": ""}}], "tools[0].function.name is ''; a name is needed."),
        ([{"function": {"name": "a b"}}], "'a b' is the name of a function; up to 64 letters, digits and _ $ @ . - are "
         "needed."),
        ([WEATHER, WEATHER], "The declaration has the function get_weather twice; leave one of them out."),
        ([{"function": {"name": "a", "parameters": []}}] * 129, "tools has 129 functions; at most 128 are taken."),
        ([{"function": {"name": "a", "parameters": [1]}}], "tools[0].function.parameters is [1]; a JSON Schema of an "
         "object is needed."),
        ([{"function": {"name": "a", "parameters": {"properties": {"b": {"enum": "c"}}}}}],
         "tools[0].function.parameters.properties.b.enum is 'c'; a list of texts or numbers is needed."),
        ([{"function": {"name": "a", "parameters": {"properties": {"b": {"description": 5}}}}}],
         "tools[0].function.parameters.properties.b.description is 5; a text is needed."),
    ],
)  # fmt: skip
def test_tools_that_cannot_be_used(tools, sentence):
    with pytest.raises(FormatError) as caught:
        functions_of_tools(tools)
    assert str(caught.value) == sentence


def test_a_schema_nested_too_deeply():
    schema: dict = {"type": "string"}
    for _ in range(2000):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(FormatError, match="is nested more than 8 deep"):
        functions_of_tools([{"function": {"name": "a", "parameters": schema}}])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "type", "object", "array", "string", "a b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "function", "name", "description", "parameters", "properties", "items", "enum", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(json_values)
def test_any_tools_are_functions_or_an_error(value):
    for tools in (value, [{"function": {"name": "a", "parameters": value}}]):
        with contextlib.suppress(FormatError):
            assert render_declarations(functions_of_tools(tools))


def test_any_name_without_a_schema_takes_any_value():
    functions = (Function("f", "d", (Parameter("a"),)),)
    entry = tool_call(FunctionCall("f", {"a": [{"b": "é"}]}), functions, "x")
    assert entry["function"]["arguments"] == '{"a": [{"b": "\\u00e9"}]}'


def test_a_request_takes_tools_in_the_place_of_functions():
    for functions in ([WEATHER], json.dumps([WEATHER]), f"\n{json.dumps([WEATHER], indent=2)}"):
        assert request_from({"input": "x", "functions": functions}).functions == functions_of_tools([WEATHER])


def test_a_call_as_a_table():
    function = functions_of_tools([WEATHER])[0]
    params = {
        "place": "Oslo",
        "days": 5,
        "exact": None,
        "tags": ["é"],
        "options": {"wide": True},
        "stops": [{"at": 7}, {}],
    }
    assert tuple(call_rows(FunctionCall("get_weather", params), function)) == (
        CallRow("place", "Oslo", True, "City and country"),
        CallRow("days", "5", True, "How many days"),
        CallRow("unit", "", False, ""),
        CallRow("exact", "null", True, ""),
        CallRow("share", "", False, "Of the sky"),
        CallRow("tags", '["é"]', True, "Tags"),
        CallRow("options.wide", "true", True, "Wide"),
        CallRow("stops[0].at", "7", True, "Hour"),
        CallRow("stops[1].at", "", False, "Hour"),
        CallRow("other", "", False, "Anything"),
    )
    rows = tuple(call_rows(FunctionCall("get_weather", {}), function))
    assert rows[6] == CallRow("options.wide", "", False, "Wide")
