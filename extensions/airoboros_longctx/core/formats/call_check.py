"""What a reply's function call says, held against the declared functions. Nothing is executed, and nothing guessed."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..foreign_text import quoted, quoted_value
from .errors import FormatError
from .function_declarations import Function, Parameter
from .reply_data import AGAIN, Found


@dataclass(frozen=True)
class FunctionCall:
    """``missing`` are the declared parameters that the reply does not state, as paths such as ``filters.keyword``: the
    models leave out what the input says nothing about, so that alone is no error. ``notes`` says so in sentences.
    """

    function: str
    params: dict[str, Any]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def checked_call(found: Found, functions: Sequence[Function]) -> FunctionCall:
    """The call in ``found``. Raises FormatError for an unknown function, an unknown parameter, a value where a nested
    one is declared, or a required parameter that is missing.
    """
    for key in found.data:
        if key not in ("function", "params"):
            raise FormatError(
                f"The call has {quoted(key, 60)!r} beside function and params, which are all it can have: {AGAIN}.",
                found.line,
            )
    function = _declared(found, functions)
    params = found.data.get("params")
    if params is None or params == "":
        params = {}
    missing: dict[str, Parameter] = {}
    _check(params, function.params, "", function.name, found.line, missing)
    required = [path for path, parameter in missing.items() if parameter.required]
    if required:
        raise FormatError(
            f"The call of {function.name} lacks {_names(required)}, which is required: {AGAIN}.", found.line
        )
    notes = (f"{function.name} was called without {_names(list(missing))}.",) if missing else ()
    return FunctionCall(function.name, params, tuple(missing), notes)


def _declared(found: Found, functions: Sequence[Function]) -> Function:
    named = found.data["function"]
    by_name = {function.name: function for function in functions}
    if isinstance(named, str) and named in by_name:
        return by_name[named]
    if not isinstance(named, str) or not named:
        raise FormatError(
            f"The call's function is {quoted_value(named, 60)}; one of {_names(list(by_name))} is needed: {AGAIN}.",
            found.line,
        )
    close = difflib.get_close_matches(named[:64].lower(), [name.lower() for name in by_name], 1)
    meant = next((name for name in by_name if close and name.lower() == close[0]), None)
    raise FormatError(
        f"The function {quoted(named, 60)!r} was not declared; "
        + (f"{meant} was, which may be meant" if meant else f"one of {_names(list(by_name))} is needed")
        + f": {AGAIN}, or declare it.",
        found.line,
    )


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _check(
    value: object,
    declared: tuple[Parameter, ...],
    path: str,
    function: str,
    line: int,
    missing: dict[str, Parameter],
) -> None:
    """Raise FormatError for what ``declared`` does not allow in ``value``; what is missing goes into ``missing`` by its
    path, once for all elements of a list.
    """
    where = path.rstrip(".") or "params"
    names = [parameter.name for parameter in declared]
    if not isinstance(value, dict):
        found = quoted_value(value, 60)
        needed = f"a mapping with {_names(names)}" if names else "nothing"
        raise FormatError(f"{where} of {function} is {found}; {needed} is needed: {AGAIN}.", line)
    for name in value:
        if name not in names:
            extra = quoted(f"{path}{name}", 120)
            takes = f"it takes {_names([path + name for name in names])}" if names else "it takes none there"
            raise FormatError(f"{function} has no parameter {extra!r}; {takes}: {AGAIN}, or declare it.", line)
    for parameter in declared:
        if parameter.name not in value or (parameter.params and value[parameter.name] is None):
            missing[f"{path}{parameter.name}"] = parameter
        elif parameter.params:
            inner = value[parameter.name]
            parts = inner if parameter.type == "array" and isinstance(inner, list) else [inner]
            for part in parts:
                _check(part, parameter.params, f"{path}{parameter.name}.", function, line, missing)
