"""The functions and operators of ``arithmetic``, each bounded: whole numbers are exact and of at most 1,000 digits."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

from ...core.foreign_text import quoted
from ..runnable_tool import ToolError

Number: TypeAlias = int | float

MOST_DIGITS = 1_000
_TOO_LARGE = 10**MOST_DIGITS
_MOST_FACTORIAL = 400
CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}


def _factorial(value: Number) -> int:
    if not isinstance(value, int) or not 0 <= value <= _MOST_FACTORIAL:
        raise ToolError(f"factorial is for whole numbers from 0 to {_MOST_FACTORIAL}; {_shown(value)} was given.")
    return math.factorial(value)


def _round(value: Number, digits: Number = 0) -> Number:
    if not isinstance(digits, int) or abs(digits) > MOST_DIGITS:
        raise ToolError("round takes a whole number of digits as its second value.")
    return round(value, digits) if digits else round(value)


def _log(value: Number, base: Number | None = None) -> float:
    return math.log(value) if base is None else math.log(value, base)


#: Name to function, and the fewest and most values that it takes; None: any number.
FUNCTIONS: Mapping[str, tuple[Callable[..., Number], int, int | None]] = {
    "sqrt": (lambda value: _root(value), 1, 1),
    "exp": (math.exp, 1, 1),
    "log": (_log, 1, 2),
    "ln": (math.log, 1, 1),
    "log2": (math.log2, 1, 1),
    "log10": (math.log10, 1, 1),
    "sin": (math.sin, 1, 1),
    "cos": (math.cos, 1, 1),
    "tan": (math.tan, 1, 1),
    "asin": (math.asin, 1, 1),
    "acos": (math.acos, 1, 1),
    "atan": (math.atan, 1, 1),
    "sinh": (math.sinh, 1, 1),
    "cosh": (math.cosh, 1, 1),
    "tanh": (math.tanh, 1, 1),
    "degrees": (math.degrees, 1, 1),
    "radians": (math.radians, 1, 1),
    "abs": (abs, 1, 1),
    "floor": (math.floor, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "round": (_round, 1, 2),
    "factorial": (_factorial, 1, 1),
    "min": (min, 1, None),
    "max": (max, 1, None),
}


def _root(value: Number) -> Number:
    if isinstance(value, int) and value >= 0 and math.isqrt(value) ** 2 == value:
        return math.isqrt(value)
    return math.sqrt(value)


def power(base: Number, exponent: Number) -> Number:
    """Exact for whole numbers. ToolError before anything is calculated that would be too large."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if abs(base) > 1 and exponent * math.log10(abs(base)) > MOST_DIGITS + 1:
            raise too_large()
        return int(base**exponent)
    if base == 0 and exponent < 0:
        raise ZeroDivisionError
    if base < 0 and not float(exponent).is_integer():
        raise ValueError
    return float(float(base) ** float(exponent))


SUM: Mapping[str, Callable[[Number, Number], Number]] = {"+": operator.add, "-": operator.sub}
PRODUCT: Mapping[str, Callable[[Number, Number], Number]] = {
    "*": operator.mul,
    "/": lambda left, right: left // right if _divides(right, left) else left / right,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _divides(divisor: Number, value: Number) -> bool:
    return isinstance(divisor, int) and isinstance(value, int) and divisor != 0 and value % divisor == 0


def bounded(value: Number) -> Number:
    """``value``, unless it is larger than may be: then ToolError, or OverflowError for a float."""
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        raise OverflowError
    if isinstance(value, int) and abs(value) >= _TOO_LARGE:
        raise too_large()
    return value


def too_large() -> ToolError:
    return ToolError(
        f"A number is too large; whole numbers of at most {MOST_DIGITS:,} digits and others up to 1.8e308 are "
        "calculated."
    )


def _shown(value: Number) -> str:
    return quoted(value, 40)
