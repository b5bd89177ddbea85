"""What the page's script asks for: one small JSON object. A client can write anything there, so all is checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ...core.errors import AiroborosLongctxError

ACTIONS = ("switch", "up", "down", "scope", "edit", "preview", "close-preview", "remove", "undo")
_MOST_CHARACTERS = 2000
_LARGEST_NUMBER = 2**53


class ActionRequestError(AiroborosLongctxError):
    """Something that the page's own script never writes."""


@dataclass(frozen=True)
class ActionRequest:
    """``number`` tells requests of a page apart. ``start`` and ``end`` bound a passage of the document ``id``."""

    do: str
    id: str = ""
    on: bool = False
    scope: str = ""
    start: int = 0
    end: int = 0
    number: int = 0


def parse_action(text: object) -> ActionRequest:
    """The request in ``text``. ActionRequestError where it is none."""
    found: Any = None
    if isinstance(text, str) and len(text) <= _MOST_CHARACTERS:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
    if not isinstance(found, dict) or found.get("do") not in ACTIONS:
        raise ActionRequestError("The page asked for something unknown; reload it and try again.")
    return ActionRequest(
        found["do"],
        _text(found.get("id")),
        found.get("on") is True,
        _text(found.get("scope")),
        _number(found.get("start")),
        _number(found.get("end")),
        _number(found.get("number")),
    )


def answered_number(text: object) -> int:
    """The number of the request in ``text``, 0 where it is none."""
    try:
        return parse_action(text).number
    except ActionRequestError:
        return 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _LARGEST_NUMBER else 0
