"""What a chat with OpenAI's ``tools`` asks for: a call after the user, an answer after the results of tools."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.formats.tool_request import ToolRequest, tool_request, wants_tools
from extensions.airoboros_longctx.core.prompts.closed_context import Document

MOST = 1000
USER = {"role": "user", "content": "What is the weather in Paris?"}
QUESTION = USER["content"]
ANSWER = {"role": "assistant", "content": "It is sunny."}


def tool(name):
    return {"type": "function", "function": {"name": name, "description": f"Does {name}."}}


def call(number, name="get_weather", arguments='{"city": "Paris"}'):
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls):
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def result(number, text):
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": text}


TWO = [tool("get_weather"), tool("get_news")]


def request_of(messages, tools=TWO, choice=None, most=MOST):
    return tool_request(messages, tools, choice, most)


# -- opting in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_default", [True, False])
@pytest.mark.parametrize("field", [True, False])
def test_the_last_message_of_the_user_decides_whatever_the_setting_says(by_default, field):
    earlier, last = {**USER, "function_calling": not field}, {**USER, "function_calling": field}
    assert wants_tools([earlier, ANSWER, last, calling(call(1)), result(1, "18")], by_default) == (field, field)


@pytest.mark.parametrize("by_default", [True, False])
def test_without_the_field_the_setting_decides(by_default):
    assert wants_tools([{**USER, "function_calling": True}, ANSWER, USER], by_default) == (by_default, False)
    assert wants_tools([], by_default) == wants_tools(["no message"], by_default) == (by_default, False)


def test_the_field_is_true_or_false():
    with pytest.raises(FormatError) as error:
        wants_tools([{**USER, "function_calling": 1}], False)
    assert str(error.value) == "function_calling is 1; true or false is needed."


# -- after the user --------------------------------------------------------------------------------------------------


def test_after_the_user_a_call_of_the_declared_functions_is_asked():
    request = request_of([{"role": "system", "content": "Be brief."}, USER])
    assert (request.question, request.turns, request.results) == (QUESTION, (), ())
    assert [one.name for one in request.functions] == ["get_weather", "get_news"]


@pytest.mark.parametrize("choice", [None, "auto", "required"])
def test_a_choice_in_a_word_leaves_every_function(choice):
    assert len(request_of([USER], choice=choice).functions) == 2


def test_a_choice_of_a_function_declares_it_alone():
    choice = {"type": "function", "function": {"name": "get_news"}}
    assert [one.name for one in request_of([USER], choice=choice).functions] == ["get_news"]


@pytest.mark.parametrize(
    ("choice", "named"),
    [({"function": {"name": "get_time"}}, "'get_time'"), ({"function": "get_news"}, "None"), ({}, "None")],
)
def test_a_choice_of_what_is_not_there_is_refused(choice, named):
    with pytest.raises(FormatError) as error:
        request_of([USER], choice=choice)
    assert str(error.value) == f"tool_choice names the function {named}; one that tools declares is needed."


def test_earlier_turns_are_questions_with_the_answer_that_ended_them():
    messages = [
        {"role": "user", "content": "Never answered."},
        {"role": "user", "content": "What is the weather in Rome?"},
        {**calling(call(1)), "content": "I will look."},
        result(1, "18 °C"),
        {"role": "assistant", "content": "It has 18 °C."},
        {"role": "user", "content": "Called, and no more."},
        calling(call(2)),
        result(2, "Rain"),
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "And in"}, {"type": "text", "text": "Paris?"}]},
    ]
    request = request_of(messages)
    assert request.question == "And in Paris?"
    assert request.turns == (("What is the weather in Rome?", "It has 18 °C."),)


@pytest.mark.parametrize("content", ["", " \n", [], [{"type": "image_url", "image_url": {"url": "x"}}], None, 7])
def test_a_question_without_text_is_refused(content):
    with pytest.raises(FormatError) as error:
        request_of([{"role": "user", "content": content}])
    assert str(error.value) == "The last message of the user is empty; what the user wants to be done is needed."


@pytest.mark.parametrize(
    ("messages", "tools"),
    [
        ([USER], []),
        ([USER], None),
        ([USER, ANSWER], [tool("a")]),
        ([USER, calling(call(1))], [tool("a")]),
        ([{"role": "system", "content": "Be brief."}], [tool("a")]),
        ([result(1, "18")], [tool("a")]),
    ],
)
def test_anything_else_is_no_request_with_tools(messages, tools):
    assert tool_request(messages, tools, None, MOST) is None


def test_tools_that_cannot_be_used_are_named():
    with pytest.raises(FormatError) as error:
        request_of([USER], tools=[tool("get_weather"), tool("get weather")])
    sentence = "'get weather' is the name of a function; up to 64 letters, digits and _ $ @ . - are needed."
    assert str(error.value) == sentence


# -- after the results -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tools", [[tool("get_weather")], [], None, ["no tool"]])
def test_results_are_documents_that_say_where_they_are_from(tools):
    messages = [
        {"role": "user", "content": "Hello."},
        ANSWER,
        USER,
        calling(call(1), call(2, "get_news", "{}")),
        result(2, "Nothing happened."),
        result(1, [{"type": "text", "text": "18 °C"}]),
        calling(call(3, arguments='{\n "city": "Rome"}')),
        result(3, " "),
        {**result(4, "Who?"), "name": "ask"},
        {"role": "tool", "content": "Nobody."},
    ]
    assert tool_request(messages, tools, None, MOST) == ToolRequest(
        QUESTION,
        results=(
            Document("Nothing happened.", (("tool", "get_news"),)),
            Document("18 °C", (("tool", "get_weather"), ("arguments", '{"city": "Paris"}'))),
            Document("(no result)", (("tool", "get_weather"), ("arguments", '{ "city": "Rome"}'))),
            Document("Who?", (("tool", "ask"),)),
            Document("Nobody."),
        ),
    )


@pytest.mark.parametrize("calls", [None, "x", [None], [{}], [{"function": "f"}], [{"function": {"name": 7}, "id": []}]])
def test_calls_that_cannot_be_understood_say_nothing_of_a_result(calls):
    messages = [USER, {"role": "assistant", "content": "", "tool_calls": calls}, result(1, "18 °C")]
    assert request_of(messages).results == (Document("18 °C"),)


def test_what_a_result_is_from_is_bounded():
    (document,) = request_of([USER, calling(call(1, "n" * 999, "a" * 999)), result(1, "x")]).results
    assert [len(value) for _, value in document.metadata] == [200, 200]


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        (["x" * 600] * 2, "The results of tools have 1200 characters; at most 1000 are taken (the setting "
         "api_document_characters)."),
        (["x"] * 65, "65 results of tools were sent; at most 64 are taken."),
    ],
)  # fmt: skip
def test_too_much_is_refused(results, sentence):
    with pytest.raises(FormatError) as error:
        request_of([USER, *(result(1, text) for text in results)])
    assert str(error.value) == sentence
