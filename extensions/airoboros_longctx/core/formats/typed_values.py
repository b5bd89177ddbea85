"""The values of a call in the types that its function's schema states, where nothing is lost by that."""

from __future__ import annotations

import re
from typing import Any

from ..foreign_text import quoted_value
from .errors import FormatError
from .function_declarations import Function, Parameter

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})")
#: With so many digits every decimal number comes back from a float as it was.
_NUMBER = re.compile(r"-?(?=[0-9.]{1,16}\Z)(?:0|[1-9][0-9]*)\.[0-9]+")
_NEEDED = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def typed_params(params: dict[str, Any], function: Function) -> dict[str, Any]:
    """``params`` of a checked call of ``function``. What is null and not required is left out. Raises FormatError with
    the path of a value that has another type, or is not one of the values there are.
    """
    return _mapping(params, function.params, f"{function.name}.")


def _mapping(value: Any, declared: tuple[Parameter, ...], path: str) -> dict[str, Any]:
    found = {}
    for parameter in declared:
        if parameter.name not in value:
            continue
        inner = value[parameter.name]
        if inner is not None or parameter.required:
            found[parameter.name] = _parameter(inner, parameter, path + parameter.name)
    return found


def _parameter(value: Any, parameter: Parameter, path: str) -> Any:
    if parameter.type == "array":
        return [_element(one, parameter, f"{path}[{place}]") for place, one in enumerate(_of(value, "array", path))]
    if parameter.params:
        return _mapping(_of(value, "object", path), parameter.params, f"{path}.")
    typed = _of(value, parameter.type, path)
    if parameter.choices and not any(type(typed) is type(choice) and typed == choice for choice in parameter.choices):
        choices = ", ".join(quoted_value(choice, 60) for choice in parameter.choices[:8])
        raise FormatError(f"{path} is {quoted_value(value, 60)}; one of {choices} is needed.")
    return typed


def _element(value: Any, parameter: Parameter, path: str) -> Any:
    if parameter.params:
        return _mapping(_of(value, "object", path), parameter.params, f"{path}.")
    return _of(value, parameter.item_type, path)


def _of(value: Any, kind: str, path: str) -> Any:
    """``value`` in the type ``kind``, "" for any."""
    if kind == "" or _is(value, kind):
        return value
    if kind == "string" and isinstance(value, (bool, int)):
        return str(value).lower()
    if kind == "integer" and isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if kind in ("integer", "number") and _INTEGER.fullmatch(text):
            return int(text)
        if kind == "number" and _NUMBER.fullmatch(text):
            return float(text)
        if kind == "boolean" and text.lower() in ("true", "false"):
            return text.lower() == "true"
    raise FormatError(f"{path} is {quoted_value(value, 60)}; {_NEEDED[kind]} is needed.")


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    types = {"string": str, "integer": int, "number": (int, float), "array": list, "object": dict}
    return kind in types and isinstance(value, types[kind])  # type: ignore[arg-type]
