"""``Calculator``: the value of an arithmetic expression."""

from __future__ import annotations

from ..runnable_tool import RunnableTool, plain_tool
from .arithmetic import calculate

_DIGITS = 15


def calculator() -> RunnableTool:
    """Whole numbers come out exactly, others with 15 significant digits."""
    return plain_tool(
        "Calculator",
        "Calculates the value of an arithmetic expression, such as 2 * (3 + 4) ** 2 or sqrt(2) / log(10). The input "
        "must be the expression alone, without words.",
        lambda text: _written(calculate(text.strip().removesuffix("="))),
    )


def _written(value: int | float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.{_DIGITS}g}"
