"""The models' trained formats beside questions and documents. A format is a module here; it is found by being here.

Each has what ``Format`` lists; a module without it is a part of one that has. Its request and its result are frozen
dataclasses of plain values, so that the command line and the panels can read the one and show the other.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any, Protocol, cast

from ..foreign_text import quoted
from .errors import FormatError
from .form_field import FormField

_NEEDED = ("NAME", "TITLE", "DESCRIPTION", "SOURCE", "FIELDS", "request_from", "render", "parse")


class Format(Protocol):
    """``NAME`` is said on the command line; ``TITLE``, ``DESCRIPTION`` and the model card ``SOURCE`` are shown, and
    ``FIELDS`` are what ``request_from`` takes, to be filled in. Every function raises FormatError and nothing else.
    """

    NAME: str
    TITLE: str
    DESCRIPTION: str
    SOURCE: str
    FIELDS: tuple[FormField, ...]

    def request_from(self, data: Mapping[str, Any]) -> Any:
        """The request in plain values, as a YAML file holds it; what is missing or unknown is named."""

    def render(self, request: Any) -> str:
        """What stands between USER: and ASSISTANT:, exactly as trained."""

    def parse(self, reply: str, request: Any) -> Any:
        """What the model's reply to ``request`` says. Nothing of it is executed."""


@functools.cache
def formats() -> dict[str, Format]:
    """Every format by its name, in the order of the names."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    known = [module for module in modules if all(hasattr(module, needed) for needed in _NEEDED)]
    return {module.NAME: cast(Format, module) for module in sorted(known, key=lambda module: str(module.NAME))}


def format_named(name: str) -> Format:
    """The format called ``name``; FormatError names those there are."""
    try:
        return formats()[name]
    except KeyError:
        known = ", ".join(formats())
        raise FormatError(f"The format {quoted(name, 60)!r} is unknown; one of {known} is needed.") from None
