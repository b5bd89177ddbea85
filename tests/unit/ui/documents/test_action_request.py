"""What a client can write into the hidden field: only what the page's script writes is understood."""

from __future__ import annotations

import json

import pytest

from extensions.airoboros_longctx.ui.documents.action_request import (
    ActionRequest,
    ActionRequestError,
    answered_number,
    parse_action,
)


def test_what_the_script_writes():
    assert parse_action('{"do":"switch","id":"a","on":true,"number":7}') == ActionRequest("switch", "a", True, number=7)
    assert parse_action('{"do":"scope","id":"a","scope":"everywhere","number":8}').scope == "everywhere"
    preview = parse_action('{"do":"preview","id":"a","start":3,"end":9,"number":9}')
    assert (preview.start, preview.end, preview.number) == (3, 9, 9)
    assert answered_number('{"do":"undo","number":5}') == 5


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "undo",
        "[]",
        "{}",
        '{"do":"delete everything"}',
        '{"do":["undo"]}',
        '{"do":"undo"',
        "[" * 1900,
        '{"do":"undo","id":"' + "x" * 2000 + '"}',
        '{"do":"undo","number":' + "9" * 1900 + "e",
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(ActionRequestError) as error:
        parse_action(text)
    assert str(error.value) == "The page asked for something unknown; reload it and try again."
    assert answered_number(text) == 0


@pytest.mark.parametrize("number", [-1, 2**53 + 1, 10**300, 1.5, True, "7", None, [], float("inf")])
def test_numbers_that_are_none_count_as_0(number):
    asked = parse_action(json.dumps({"do": "preview", "id": "a", "start": number, "end": number, "number": number}))
    assert (asked.start, asked.end, asked.number) == (0, 0, 0)


def test_fields_of_another_kind_are_left_out():
    asked = parse_action('{"do":"switch","id":{"a":1},"on":"yes","scope":5}')
    assert asked == ActionRequest("switch")
