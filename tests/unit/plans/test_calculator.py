"""The calculator: what people write, and what would hang, crash or run something."""

from __future__ import annotations

import ast
import math
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.plans import tools
from extensions.airoboros_longctx.plans.runnable_tool import ToolError
from extensions.airoboros_longctx.plans.tools.arithmetic import calculate
from extensions.airoboros_longctx.plans.tools.calculator import calculator

TOO_LARGE = "A number is too large; whole numbers of at most 1,000 digits and others up to 1.8e308 are calculated."


def asked(text: str) -> str:
    return calculator().call(text, threading.Event())


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        (" 2*3 = ", "6"),
        ("-2 ** 2", "-4"),
        ("(-2) ** 2", "4"),
        ("2 ** -1", "0.5"),
        ("2 ** 3 ** 2", "512"),
        ("2^10", "1024"),
        ("- - 2", "2"),
        ("10 / 4", "2.5"),
        ("10 / 5", "2"),
        ("10 // 4", "2"),
        ("-7 % 3", "2"),
        ("7 - 2 - 1", "4"),
        ("100 / 10 / 2", "5"),
        ("0.1 + 0.2", "0.3"),
        (".5 + 1. + 1e3", "1001.5"),
        ("2 ** 200", str(2**200)),
        ("123456789123456789 * 987654321987654321", str(123456789123456789 * 987654321987654321)),
        ("10**400 / 10**399", "10"),
        ("sqrt(2)", "1.4142135623731"),
        ("sqrt(" + str(3**200) + ")", str(3**100)),
        ("exp(1)", "2.71828182845905"),
        ("log(8, 2) + ln(e) + log10(1000) + log2(8)", "10"),
        ("sin(pi / 6)", "0.5"),
        ("cos(0) + tan(0) + atan(0)", "1"),
        ("degrees(π)", "180"),
        ("max(1, 2, 3) - min(4, 5)", "-1"),
        ("round(2.567, 2) + abs(-1) + floor(1.9) + ceil(1.1)", "6.57"),
        ("factorial(20)", "2432902008176640000"),
        ("3 × 4 ÷ 2 − 1", "5"),
        ("SQRT(16)", "4"),
    ],
)
def test_what_people_write(expression, result):
    assert asked(expression) == result


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("9**9**9", TOO_LARGE),
        ("9**9**9**9**9", TOO_LARGE),
        ("(-9)**9**9", TOO_LARGE),
        ("10**1000", TOO_LARGE),
        ("10**999 * 10", TOO_LARGE),
        ("2.0 ** 5000", TOO_LARGE),
        ("1e999", TOO_LARGE),
        ("exp(1000)", TOO_LARGE),
        ("10**900 + 0.5", TOO_LARGE),
        ("2 ** -10**900", TOO_LARGE),
        ("factorial(401)", "factorial is for whole numbers from 0 to 400; 401 was given."),
        ("factorial(10**100)", f"factorial is for whole numbers from 0 to 400; 1{'0' * 38}… was given."),
        ("factorial(0.5)", "factorial is for whole numbers from 0 to 400; 0.5 was given."),
        ("1 / 0", "'1 / 0' divides by zero."),
        ("1 // 0", "'1 // 0' divides by zero."),
        ("1 % 0", "'1 % 0' divides by zero."),
        ("0 ** -1", "'0 ** -1' divides by zero."),
        ("log(2, 1)", "'log(2, 1)' divides by zero."),
        ("sqrt(-1)", "'sqrt(-1)' has no real value."),
        ("(-8) ** 0.5", "'(-8) ** 0.5' has no real value."),
        ("log(0)", "'log(0)' has no real value."),
        ("round(1.5, 1.5)", "round takes a whole number of digits as its second value."),
        ("", "The expression ends where a number is needed."),
        ("1 +", "The expression ends where a number is needed."),
        ("* 2", "'*' found where a number is needed."),
        ("1 2", "'2' found where the expression could end; an operator is needed there."),
        ("1,000", "',' found where the expression could end; an operator is needed there."),
        ("(1", "')' is missing at the end."),
        ("sqrt 4", "'4' found where '(' is needed."),
        ("sin(1, 2)", "sin was given 2 values; at most 1 are taken."),
        ("1" * 1001, "The expression has 1,001 characters; at most 1,000 are calculated."),
        ("(" * 400 + "1" + ")" * 400, "The expression is nested too deeply; at most 60 levels are calculated."),
        ("2" + "**2" * 300, "The expression is nested too deeply; at most 60 levels are calculated."),
        ("1; import os", "'; import os' is no part of an expression; numbers, + - * / // % ** and parentheses are."),
        ("'a' * 9", "\"'a' * 9\" is no part of an expression; numbers, + - * / // % ** and parentheses are."),
        ("[1] * 9", "'[1] * 9' is no part of an expression; numbers, + - * / // % ** and parentheses are."),
        ("(1).real", "'.real' is no part of an expression; numbers, + - * / // % ** and parentheses are."),
        ("1 if 1 else 2", "'if' found where the expression could end; an operator is needed there."),
        ("٣ + 1", "'٣ + 1' is no part of an expression; numbers, + - * / // % ** and parentheses are."),
        ("1\0+1", "'+1' is no part of an expression; numbers, + - * / // % ** and parentheses are."),
    ],
)
def test_what_cannot_be_calculated_says_why(expression, sentence):
    with pytest.raises(ToolError) as raised:
        calculate(expression)
    assert str(raised.value) == sentence


@pytest.mark.parametrize("name", ["__import__(1)", "eval(1)", "open(1)", "exec", "lambda", "os", "x", "__class__"])
def test_a_name_is_one_of_the_known_ones(name):
    with pytest.raises(ToolError, match=r"is unknown; pi, e, tau and the functions sqrt, exp, log, "):
        calculate(name)


def test_the_longest_whole_number():
    assert asked("10**999") == "1" + "0" * 999
    assert asked("9" * 1000) == "9" * 1000


@given(st.text(st.sampled_from("0123456789.+-*/%^() ,eepisqrt"), max_size=60))
@settings(deadline=None)
def test_any_text_is_a_number_or_a_sentence(text):
    try:
        value = calculate(text)
    except ToolError:
        return
    assert isinstance(value, int) or math.isfinite(value)


_TREES = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(
        lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
    ),
    max_leaves=12,
)


@given(_TREES)
@settings(deadline=None)
def test_whole_numbers_agree_with_python(expression):
    try:
        expected = _by_python(ast.parse(expression, mode="eval").body)
    except ZeroDivisionError:
        with pytest.raises(ToolError, match="divides by zero"):
            calculate(expression)
    else:
        assert calculate(expression) == expected


def _by_python(node: ast.expr) -> int:
    if isinstance(node, ast.Constant):
        return int(node.value)
    assert isinstance(node, ast.BinOp)
    left, right = _by_python(node.left), _by_python(node.right)
    return {
        ast.Add: lambda: left + right,
        ast.Sub: lambda: left - right,
        ast.Mult: lambda: left * right,
        ast.FloorDiv: lambda: left // right,
        ast.Mod: lambda: left % right,
    }[type(node.op)]()


def test_nothing_in_the_room_evaluates_anything():
    """The names that could run a text, as names: the source of every tool and of what runs them."""
    room = Path(tools.__file__).parents[1]
    sources = sorted(room.rglob("*.py"))
    assert len(sources) > 10
    used = {
        node.id
        for source in sources
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Name)
    }
    assert not used & {"eval", "exec", "compile", "__import__", "subprocess", "os", "literal_eval"}
