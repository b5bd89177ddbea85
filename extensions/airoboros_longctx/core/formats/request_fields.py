"""The fields of a request in plain values: what is missing or unknown is listed by name, and no name is a mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..foreign_text import quoted, quoted_value
from ..prompts.look_alikes import defuse_text
from .errors import FormatError


def checked_fields(data: object, required: Sequence[str], optional: Sequence[str], title: str) -> None:
    """Raise FormatError where ``data`` is no mapping, lacks a required field or has one that is unknown."""
    takes = ", ".join([*required, *(f"{name} (may be left out)" for name in optional)])
    if not isinstance(data, Mapping):
        raise FormatError(f"{title}: {quoted_value(data, 60)} was found; a mapping with {takes} is needed.")
    missing = [name for name in required if data.get(name) is None]
    if missing:
        raise FormatError(f"{title}: {', '.join(missing)} is missing; the fields are {takes}.")
    unknown = [quoted(name, 60) for name in data if name not in (*required, *optional)]
    if unknown:
        raise FormatError(f"{title}: {', '.join(unknown[:8])} is unknown; the fields are {takes}.")


def required_text(data: Mapping[str, Any], name: str) -> str:
    """The text of a field, a number as its digits. Raises FormatError where it is a list, a mapping or empty."""
    value = data[name]
    if isinstance(value, (list, dict)) or not str(value).strip():
        raise FormatError(f"{name} is {quoted_value(value, 60)}; a text is needed.")
    return str(value)


def require_no_mark(name: str, kind: str, line: int | None = None) -> None:
    """Raise FormatError where ``name``, which stands in the prompt as it is, is a mark of the models' own forms.

    ``kind`` is what has the name, such as "function"; ``line`` where it was read.
    """
    if defuse_text(f"{name}:")[1]:
        raise FormatError(f"A {kind} is called {name}, which is a mark of the models' own forms; rename it.", line)
