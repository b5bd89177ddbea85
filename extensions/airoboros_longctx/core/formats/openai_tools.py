"""Functions from and to the ``tools`` of an OpenAI request, and a call as an entry of ``tool_calls``.

The shapes are those of https://platform.openai.com/docs/guides/function-calling; of JSON Schema ``type``,
``description``, ``enum``, ``properties``, ``required`` and ``items`` are used. A schema with anything else in their
place (``$ref``, ``anyOf``) is taken for one of any type.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..foreign_text import quoted_value
from .call_check import FunctionCall
from .errors import FormatError
from .function_declarations import MOST_FUNCTIONS, Function, Parameter, check_functions
from .typed_values import typed_params

DEEPEST = 8
_MOST_CHOICES = 100
_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")


def functions_of_tools(tools: object) -> tuple[Function, ...]:
    """The functions that ``tools`` of a request declares. Raises FormatError that names the tool and the field."""
    if not isinstance(tools, list) or not tools:
        raise FormatError(f"tools is {quoted_value(tools, 60)}; a list with at least one function is needed.")
    if len(tools) > MOST_FUNCTIONS:
        raise FormatError(f"tools has {len(tools)} functions; at most {MOST_FUNCTIONS} are taken.")
    functions = tuple(_function(tool, f"tools[{place}]") for place, tool in enumerate(tools))
    check_functions(functions)
    return functions


def tools_of_functions(functions: Sequence[Function]) -> list[dict[str, Any]]:
    """The ``tools`` that declare ``functions``; what the models' own YAML does not state is of any type."""
    return [
        {
            "type": "function",
            "function": {
                "name": one.name,
                "description": one.description,
                "parameters": {"type": "object", **_object(one.params)},
            },
        }
        for one in functions
    ]


def tool_call(call: FunctionCall, functions: Sequence[Function], call_id: str) -> dict[str, Any]:
    """``call`` as an entry of a message's ``tool_calls``. Values get the type that the schema states where nothing is
    lost by it ("5" for an integer); FormatError where that cannot be.
    """
    function = next(one for one in functions if one.name == call.function)
    arguments = json.dumps(typed_params(call.params, function), allow_nan=False)
    return {"id": call_id, "type": "function", "function": {"name": call.function, "arguments": arguments}}


def _function(tool: object, path: str) -> Function:
    stated = _mapping(tool, path, "a mapping with type and function")
    if stated.get("type", "function") != "function":
        found = quoted_value(stated["type"], 60)
        raise FormatError(f"{path}.type is {found}; only tools of the type 'function' are known.")
    body = _mapping(stated.get("function"), f"{path}.function", "a mapping with name, description and parameters")
    name, description = body.get("name"), body.get("description")
    if not isinstance(name, str) or not name:
        raise FormatError(f"{path}.function.name is {quoted_value(name, 60)}; a name is needed.")
    where = f"{path}.function.parameters"
    schema = _mapping(body.get("parameters") or {}, where, "a JSON Schema of an object")
    return Function(name, _text(description, f"{path}.function.description") or name, _params(schema, where, 0))


def _params(schema: dict[str, Any], path: str, depth: int) -> tuple[Parameter, ...]:
    if depth > DEEPEST:
        raise FormatError(f"{path} is nested more than {DEEPEST} deep.")
    properties = _mapping(schema.get("properties") or {}, f"{path}.properties", "a mapping from names to schemas")
    required = schema.get("required") or []
    if not isinstance(required, list):
        raise FormatError(f"{path}.required is {quoted_value(required, 60)}; a list of names is needed.")
    return tuple(
        _parameter(str(name), value, f"{path}.properties.{str(name)[:64]}", name in required, depth)
        for name, value in properties.items()
    )


def _parameter(name: str, schema: object, path: str, required: bool, depth: int) -> Parameter:
    if schema is True:
        schema = {}
    stated = _mapping(schema, path, "a JSON Schema")
    kind, item_type = _type(stated), ""
    params: tuple[Parameter, ...] = ()
    if kind == "object":
        params = _params(stated, path, depth + 1)
    elif kind == "array" and isinstance(stated.get("items"), dict):
        item_type = _type(stated["items"])
        if item_type == "object":
            params = _params(stated["items"], f"{path}.items", depth + 1)
    description = _text(stated.get("description"), f"{path}.description")
    return Parameter(name, description, params, required, kind, item_type, _choices(stated, path))


def _type(schema: dict[str, Any]) -> str:
    """The one type beside null that ``schema`` states; "" where it states none or several."""
    stated = schema.get("type")
    named = [one for one in (stated if isinstance(stated, list) else [stated]) if one in _TYPES and one != "null"]
    return str(named[0]) if len(named) == 1 else ""


def _choices(schema: dict[str, Any], path: str) -> tuple[Any, ...]:
    choices = schema.get("enum", [])
    if not isinstance(choices, list) or any(isinstance(choice, (list, dict)) for choice in choices):
        raise FormatError(f"{path}.enum is {quoted_value(choices, 60)}; a list of texts or numbers is needed.")
    if len(choices) > _MOST_CHOICES:
        raise FormatError(f"{path}.enum has {len(choices)} values; at most {_MOST_CHOICES} are taken.")
    return tuple(choices)


def _mapping(value: object, path: str, needed: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise FormatError(f"{path} is {quoted_value(value, 60)}; {needed} is needed.")


def _text(value: object, path: str) -> str:
    if value is None or isinstance(value, str):
        return " ".join((value or "").split())
    raise FormatError(f"{path} is {quoted_value(value, 60)}; a text is needed.")


def _object(params: tuple[Parameter, ...]) -> dict[str, Any]:
    required = [one.name for one in params if one.required]
    return {
        "properties": {one.name: _schema(one) for one in params},
        **({"required": required} if required else {}),
    }


def _schema(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": parameter.description} if parameter.description else {}
    if parameter.choices:
        schema["enum"] = list(parameter.choices)
    if parameter.type == "array":
        schema["type"] = "array"
        if parameter.item_type:
            schema["items"] = {"type": parameter.item_type, **(_object(parameter.params) if parameter.params else {})}
    elif parameter.params:
        schema.update(type="object", **_object(parameter.params))
    elif parameter.type:
        schema["type"] = parameter.type
    return schema
