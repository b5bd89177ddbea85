"""Functions as the models know them: YAML from a name to its description and params, which may be nested."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ..foreign_text import quoted
from ..prompts.look_alikes import defuse_text
from .errors import FormatError
from .request_fields import require_no_mark
from .yaml_data import Node, node_of, read_yaml

MOST_FUNCTIONS = 128
MOST_PARAMETERS = 512
WHAT = "The declaration"
_NAME = re.compile(r"[\w$@.-]{1,64}")
_SHAPE = "a function has a description and, where it takes any, params"


@dataclass(frozen=True)
class Parameter:
    """``params`` are the parts of a nested parameter; those of each element where ``type`` is array.

    The models' own YAML states names and descriptions alone. The rest comes from an OpenAI schema, and is rendered as
    part of the description: ``type`` is JSON Schema's name of a type, "" for any, ``item_type`` that of an array's
    elements, and ``choices`` are all values there are.
    """

    name: str
    description: str = ""
    params: tuple[Parameter, ...] = ()
    required: bool = False
    type: str = ""
    item_type: str = ""
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Function:
    name: str
    description: str
    params: tuple[Parameter, ...] = ()


def read_declarations(source: str | dict[str, Any]) -> tuple[Function, ...]:
    """The functions in YAML, as text or as already read values. Raises FormatError, with the line in a text."""
    root = read_yaml(source, WHAT) if isinstance(source, str) else node_of(source)
    functions = tuple(
        _function(_name(name, "function", node.line), node)
        for name, node in _mapping(root, f"{WHAT} of functions").items()
    )
    check_functions(functions)
    return functions


def check_functions(functions: Sequence[Function]) -> None:
    """Raise FormatError where there are none or too many, or a name that cannot be one."""
    if not functions:
        raise FormatError(f"{WHAT} has no function; at least one is needed: {_SHAPE}.")
    if len(functions) > MOST_FUNCTIONS:
        raise FormatError(f"{WHAT} has {len(functions)} functions; at most {MOST_FUNCTIONS} are taken.")
    names = [function.name for function in functions]
    for name in names:
        _name(name, "function", None)
        if names.count(name) > 1:
            raise FormatError(f"{WHAT} has the function {name} twice; leave one of them out.")
    total = sum(1 for function in functions for _ in _every(function.params))
    if total > MOST_PARAMETERS:
        raise FormatError(f"{WHAT} has {total} parameters; at most {MOST_PARAMETERS} are taken.")


def _every(params: tuple[Parameter, ...]) -> Iterator[Parameter]:
    for parameter in params:
        _name(parameter.name, "parameter", None)
        yield parameter
        yield from _every(parameter.params)


def _function(name: str, node: Node) -> Function:
    stated = _mapping(node, f"The function {name}")
    for key, value in stated.items():
        if key not in ("description", "params"):
            raise FormatError(f"The function {name} has {quoted(key, 60)!r}; {_SHAPE}.", value.line)
    description = _text(stated.get("description", Node("")), f"The description of {name}")
    if not description:
        raise FormatError(f"The function {name} has no description; a sentence on what it does is needed.", node.line)
    params = stated.get("params", Node(""))
    return Function(name, description, () if params.value == "" else _params(params, f"{name}.params"))


def _params(node: Node, path: str) -> tuple[Parameter, ...]:
    found = []
    for raw, value in _mapping(node, path).items():
        name = _name(raw, "parameter", value.line)
        if isinstance(value.value, dict):
            found.append(Parameter(name, params=_params(value, f"{path}.{name}")))
        else:
            found.append(Parameter(name, _text(value, f"{path}.{name}")))
    return tuple(found)


def _mapping(node: Node, what: str) -> dict[str, Node]:
    if isinstance(node.value, dict):
        return node.value
    found = "a list" if isinstance(node.value, list) else repr(quoted(node.value, 60))
    raise FormatError(f"{what} is {found}; a mapping from names to what they mean is needed.", node.line)


def _text(node: Node, what: str) -> str:
    if isinstance(node.value, str):
        return " ".join(node.value.split())
    raise FormatError(f"{what} is a list or a mapping; a text is needed.", node.line)


def _name(name: str, kind: str, line: int | None) -> str:
    if not _NAME.fullmatch(name):
        raise FormatError(
            f"{quoted(name, 70)!r} is the name of a {kind}; up to 64 letters, digits and _ $ @ . - are needed.", line
        )
    require_no_mark(name, kind, line)
    return name


def render_declarations(functions: Sequence[Function]) -> str:
    """YAML as trained: two blanks a level, a line each, quotation marks only where YAML needs them.

    The trained form has no place for the description of a nested parameter; it goes behind the function's own.
    """
    declared: dict[str, dict[str, Any]] = {}
    for function in functions:
        nested = "".join(f" ({path} = {text})" for path, text in _nested_descriptions(function.params, ""))
        declared[function.name] = {"description": _line(function.description + nested)}
        if function.params:
            declared[function.name]["params"] = _descriptions(function.params)
    return yaml.safe_dump(declared, sort_keys=False, allow_unicode=True, width=float("inf")).rstrip("\n")


def _nested_descriptions(params: tuple[Parameter, ...], path: str) -> Iterator[tuple[str, str]]:
    for one in params:
        if one.params:
            text = " ".join(
                part for part in (one.description, "A list of these." if one.type == "array" else "") if part
            )
            if text:
                yield path + one.name, text
            yield from _nested_descriptions(one.params, f"{path}{one.name}.")


def _descriptions(params: tuple[Parameter, ...]) -> dict[str, Any]:
    return {one.name: _descriptions(one.params) if one.params else _leaf(one) for one in params}


def _leaf(parameter: Parameter) -> str:
    kind = f"array of {parameter.item_type}" if parameter.item_type else parameter.type
    hints = [kind] if kind else []
    if parameter.choices:
        hints.append("one of " + ", ".join(json.dumps(choice, ensure_ascii=False) for choice in parameter.choices))
    hint = "; ".join(hints)
    if not hint or not parameter.description:
        return _line(parameter.description or hint)
    return _line(f"{parameter.description} ({hint})")


def _line(text: str) -> str:
    return " ".join(defuse_text(text)[0].split())
