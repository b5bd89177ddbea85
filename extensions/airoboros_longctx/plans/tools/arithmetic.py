"""Arithmetic as people write it, read by a parser of its own: nothing of it is ever Python.

    sum     := product (("+" | "-") product)*
    product := signed (("*" | "/" | "//" | "%") signed)*
    signed  := ("+" | "-") signed | power
    power   := value (("**" | "^") signed)?
    value   := number | constant | function "(" sum ("," sum)* ")" | "(" sum ")"

Whole numbers are exact. Every step is bounded: in digits, in exponents, in depth and in length.
"""

from __future__ import annotations

import re

from ...core.foreign_text import quoted
from ..runnable_tool import ToolError
from .arithmetic_functions import CONSTANTS, FUNCTIONS, MOST_DIGITS, PRODUCT, SUM, Number, bounded, power, too_large

MOST_CHARACTERS, MOST_DEPTH = 1_000, 60
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|//|[-+*/%^(),]))"
)
_AS_WRITTEN = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "π": " pi ", "\u00a0": " "})


def calculate(expression: str) -> Number:
    """The value of ``expression``: a whole number where it is one exactly, else a float. ToolError with a sentence."""
    if len(expression) > MOST_CHARACTERS:
        raise ToolError(
            f"The expression has {len(expression):,} characters; at most {MOST_CHARACTERS:,} are calculated."
        )
    parser = _Parser(expression.translate(_AS_WRITTEN))
    try:
        return parser.whole()
    except ZeroDivisionError:
        raise ToolError(f"{quoted(expression, 80)!r} divides by zero.") from None
    except OverflowError:
        raise too_large() from None
    except ValueError:
        raise ToolError(f"{quoted(expression, 80)!r} has no real value.") from None


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def whole(self) -> Number:
        value = self._sum()
        if self._next():
            raise ToolError(f"{self._next()!r} found where the expression could end; an operator is needed there.")
        return value

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _sum(self) -> Number:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise ToolError(f"The expression is nested too deeply; at most {MOST_DEPTH} levels are calculated.")
        value = self._product()
        while self._next() in SUM:
            value = bounded(SUM[self._take()](value, self._product()))
        self._depth -= 1
        return value

    def _product(self) -> Number:
        value = self._signed()
        while self._next() in PRODUCT:
            value = bounded(PRODUCT[self._take()](value, self._signed()))
        return value

    def _signed(self) -> Number:
        sign = 1
        while self._next() in ("+", "-"):
            sign = -sign if self._take() == "-" else sign
        return sign * self._raised()

    def _raised(self) -> Number:
        base = self._value()
        if self._next() not in ("**", "^"):
            return base
        self._take()
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise ToolError(f"The expression is nested too deeply; at most {MOST_DEPTH} levels are calculated.")
        value = bounded(power(base, self._signed()))
        self._depth -= 1
        return value

    def _value(self) -> Number:
        token = self._next()
        if not token:
            raise ToolError("The expression ends where a number is needed.")
        self._take()
        if token == "(":
            value = self._sum()
            self._expect(")")
            return value
        if token[0].isdigit() or token[0] == ".":
            return _number(token)
        if token[0].isalpha() or token[0] == "_":
            return self._named(token)
        raise ToolError(f"{token!r} found where a number is needed.")

    def _named(self, name: str) -> Number:
        known = name.lower()
        if known in CONSTANTS and self._next() != "(":
            return CONSTANTS[known]
        if known not in FUNCTIONS:
            raise ToolError(
                f"{quoted(name, 40)!r} is unknown; {', '.join(CONSTANTS)} and the functions {', '.join(FUNCTIONS)} "
                "are known."
            )
        function, fewest, most = FUNCTIONS[known]
        self._expect("(")
        values = [self._sum()]
        while self._next() == ",":
            self._take()
            values.append(self._sum())
        self._expect(")")
        if len(values) < fewest or (most is not None and len(values) > most):
            raise ToolError(f"{known} was given {len(values)} values; at most {most} are taken.")
        return bounded(function(*values))

    def _expect(self, sign: str) -> None:
        found = self._next()
        if found != sign:
            raise ToolError(
                f"{found!r} found where {sign!r} is needed." if found else f"{sign!r} is missing at the end."
            )
        self._take()


def _tokens(text: str) -> list[str]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        token = _TOKEN.match(text, at)
        if token is None:
            raise ToolError(
                f"{quoted(text[at:].lstrip(), 20)!r} is no part of an expression; numbers, + - * / // % ** and "
                "parentheses are."
            )
        found.append(token[0].strip())
        at = token.end()
    return found


def _number(token: str) -> Number:
    if token.isdigit():
        if len(token) > MOST_DIGITS:
            raise too_large()
        return int(token)
    return bounded(float(token))
