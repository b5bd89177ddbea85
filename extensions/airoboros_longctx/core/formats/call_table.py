"""A checked call as the rows of a table, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .call_check import FunctionCall
from .function_declarations import Function, Parameter


@dataclass(frozen=True)
class CallRow:
    """``value`` as JSON writes it, a text without its quotation marks; "" where ``stated`` is false."""

    path: str
    value: str
    stated: bool
    description: str


def call_rows(call: FunctionCall, function: Function) -> Iterator[CallRow]:
    """A row for each declared parameter without parts, in the order of the declaration; in lists for each element."""
    return _rows(call.params, function.params, "")


def _rows(values: Any, declared: tuple[Parameter, ...], path: str) -> Iterator[CallRow]:
    for parameter in declared:
        stated = isinstance(values, dict) and parameter.name in values
        value = values[parameter.name] if stated else None
        name = path + parameter.name
        if parameter.params and isinstance(value, list):
            for place, part in enumerate(value):
                yield from _rows(part, parameter.params, f"{name}[{place}].")
        elif parameter.params:
            yield from _rows(value, parameter.params, f"{name}.")
        else:
            yield CallRow(name, _shown(value) if stated else "", stated, parameter.description)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
