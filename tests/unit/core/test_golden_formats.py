"""The cards' own examples, character for character, and what every format must do with any reply."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core import formats as package
from extensions.airoboros_longctx.core.formats import format_named, formats
from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.formats.yaml_data import plain_data, read_yaml

CASES = sorted((Path(__file__).parents[2] / "golden" / "formats").iterdir())
MEBIBYTE = 1 << 20


def read(case: Path, name: str) -> str:
    return (case / name).read_bytes().decode()


def loaded(case: Path):
    one = format_named(case.name.partition("-")[0])
    return one, one.request_from(plain_data(read_yaml(read(case, "request.yaml"), "The request")))


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request) -> Path:
    return request.param


def test_every_format_has_an_example_of_a_card():
    assert {case.name.partition("-")[0] for case in CASES} == set(formats())


def test_the_prompt_is_the_cards(case):
    one, request = loaded(case)
    assert one.render(request) == read(case, "prompt.txt")


def test_the_reply_is_read(case):
    one, request = loaded(case)
    result = dataclasses.asdict(one.parse(read(case, "reply.txt"), request))
    assert json.loads(json.dumps(result)) == json.loads(read(case, "result.json"))


def test_line_ends_of_windows_make_no_difference(case):
    one, request = loaded(case)
    reply = read(case, "reply.txt")
    assert one.parse(reply.replace("\n", "\r\n"), request) == one.parse(reply, request)


def test_a_reply_that_breaks_off_is_an_error_or_a_result_and_nothing_else(case):
    one, request = loaded(case)
    reply = read(case, "reply.txt")
    errors = []
    for end in range(len(reply)):
        try:
            one.parse(reply[:end], request)
        except FormatError as error:
            errors.append(error)
    assert len(errors) >= len(reply) * 0.7
    assert all(str(error).endswith(".") for error in errors)
    assert all(error.line is None or 1 <= error.line <= reply.count("\n") + 1 for error in errors)


@pytest.mark.parametrize("name", formats())
@pytest.mark.parametrize(
    "reply",
    [
        "", " \n", "I cannot help with that.", "null", "[]", "{}", "\0", "\ud800", "```", "---", "- a\n- b", "\ufeff{",
    ],
)  # fmt: skip
def test_what_is_no_answer_is_an_error(name, reply):
    one, request = loaded(next(case for case in CASES if case.name.startswith(f"{name}-")))
    with pytest.raises(FormatError):
        one.parse(reply, request)


@pytest.mark.parametrize("name", formats())
@pytest.mark.parametrize(
    "unit",
    [
        '{"', '{"a": ', '{"a": [1, ', "{", "[", " ", "\t", "\n", '"', "\\", "`", "*", "#", ":", "- ", "a: ",
        '{"function": "f", "params": ', "function: f\n", "function: ", "params:\n ", "Solution 1:\n", "Solution 1",
        "Solution 1:\nRanking of solutions from best to worst:\n", "Final answer: ", "1. Solution 1\n", "Plan: a\n",
        ":evidence0: = ", "#E1 = A[", "Answer: ", "1" * 1000, '{"a": "b"}', '{"a": 1}\n', "\u2028",
    ],
    ids=repr,
)  # fmt: skip
def test_a_mebibyte_of_anything_is_read_once(name, unit):
    """A reading that is not linear would take minutes here and end in the runner's own limit."""
    one, request = loaded(next(case for case in CASES if case.name.startswith(f"{name}-")))
    with pytest.raises(FormatError):
        one.parse(unit * (MEBIBYTE // len(unit)), request)


@pytest.mark.parametrize("name", formats())
@settings(deadline=None)
@given(st.lists(st.sampled_from([
    "{", "}", "[", "]", '"', "'", ":", ",", " ", "\n", "  ", "&a ", "*a", "!!str ", "? ", "- ", "|", ">", "%", "---\n",
    "function", "params", "file_analytics", "action", "filters", "Solution 1:", "Final answer:", "1. ", "\t", "<<",
    "Ranking of solutions from best to worst:", "Best and final answer:", "Plan:", ":evidence0:", "=", "Answer:",
    '"\\ud800"', "\\", "\x85", "1e999", "NaN", "null", "\U0001f600",
]), max_size=30).map("".join))  # fmt: skip
def test_any_mixture_is_an_error_or_a_result(name, reply):
    one, request = loaded(next(case for case in CASES if case.name.startswith(f"{name}-")))
    with contextlib.suppress(FormatError):
        json.dumps(dataclasses.asdict(one.parse(reply, request)))


@pytest.mark.parametrize("name", formats())
@pytest.mark.parametrize("data", [None, [], "text", 3, {}, {"unheard_of": 1}])
def test_a_request_that_is_none_is_an_error(name, data):
    with pytest.raises(FormatError):
        format_named(name).request_from(data)


def test_an_unknown_format():
    with pytest.raises(FormatError) as caught:
        format_named("nope")
    assert str(caught.value) == f"The format 'nope' is unknown; one of {', '.join(formats())} is needed."


def test_a_file_in_the_folder_is_a_format(tmp_path, monkeypatch):
    (tmp_path / "echo_for_a_test.py").write_text(
        "NAME, TITLE, DESCRIPTION, SOURCE, FIELDS = 'echo', 'Echo', '', '', ()\ndef request_from(data): return data\n"
        "def render(request): return 'Say ' + request\ndef parse(reply, request): return reply\n"
    )
    (tmp_path / "part_for_a_test.py").write_text("NAME = 'no format'\n")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    formats.cache_clear()
    try:
        assert format_named("echo").render("hello") == "Say hello"
        assert "no format" not in formats()
    finally:
        formats.cache_clear()
        for name in ("echo_for_a_test", "part_for_a_test"):
            sys.modules.pop(f"{package.__name__}.{name}", None)
