"""YAML from people and models, read as plain text and no further: bounded, without aliases, tags or repeated keys."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from ..foreign_text import quoted, whole_characters
from .errors import FormatError

MOST_CHARACTERS = 64_000
DEEPEST = 16
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True)
class Node:
    """A scalar as its text, a list or a mapping. ``line`` counts from 1, None where there is no text to count in;
    ``plain`` is a scalar without quotation marks."""

    value: str | list[Node] | dict[str, Node]
    line: int | None = None
    plain: bool = False


def read_yaml(text: str, what: str) -> Node:
    """``text`` as a tree. ``what`` begins the sentence of a FormatError, such as "The declaration"."""
    if len(text) > MOST_CHARACTERS:
        raise FormatError(f"{what} has {len(text)} characters; at most {MOST_CHARACTERS} are read.")
    try:
        root = _tree(yaml.parse(text, Loader=yaml.SafeLoader), what)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = quoted(getattr(error, "problem", None) or getattr(error, "reason", None) or error, 120)
        sentence = f"{what} is not valid YAML ({reason}); indent what belongs to a name with blanks, below it."
        raise FormatError(sentence, None if mark is None else mark.line + 1) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise FormatError(f"{what} is not valid YAML ({quoted(error, 120)}).") from None
    if root is None:
        raise FormatError(f"{what} is empty.")
    return root


class _Open:
    """A list or mapping that has not ended yet."""

    def __init__(self, line: int, is_mapping: bool) -> None:
        self.line = line
        self.value: list[Node] | dict[str, Node] = {} if is_mapping else []
        self._key: str | None = None

    def add(self, node: Node, what: str) -> None:
        if isinstance(self.value, list):
            self.value.append(node)
        elif self._key is not None:
            self.value[self._key] = node
            self._key = None
        elif not isinstance(node.value, str):
            raise FormatError(f"{what} has a list or a mapping where a name is needed.", node.line)
        elif node.value in self.value:
            raise FormatError(
                f"{what} has the name {quoted(node.value, 60)!r} twice; leave one of them out.", node.line
            )
        else:
            self._key = node.value


def _tree(events: Iterable[Any], what: str) -> Node | None:
    open_nodes: list[_Open] = []
    root: Node | None = None
    for event in events:
        line = event.start_mark.line + 1
        _refuse_references(event, what, line)
        if isinstance(event, yaml.CollectionStartEvent):
            if len(open_nodes) == DEEPEST:
                raise FormatError(f"{what} is nested more than {DEEPEST} deep.", line)
            open_nodes.append(_Open(line, isinstance(event, yaml.MappingStartEvent)))
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            ended = open_nodes.pop()
            node = Node(ended.value, ended.line)
        elif isinstance(event, yaml.ScalarEvent):
            node = Node(whole_characters(event.value), line, event.style is None)
        elif isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise FormatError(f"{what} has a second document (---); one is needed.", line)
        else:
            continue
        if open_nodes:
            open_nodes[-1].add(node, what)
        else:
            root = node
    return root


def _refuse_references(event: Any, what: str, line: int) -> None:
    if getattr(event, "anchor", None) is not None:
        raise FormatError(f"{what} has a YAML anchor or alias (& or *); write the text itself, or quote it.", line)
    if getattr(event, "tag", None) is not None:
        raise FormatError(f"{what} has the YAML tag {quoted(event.tag, 60)!r}; leave it out.", line)


def plain_data(node: Node) -> Any:
    """``node`` as JSON knows it: None, True, False, numbers, text, lists and dicts. Dates, yes and no stay text."""
    if isinstance(node.value, dict):
        return {name: plain_data(value) for name, value in node.value.items()}
    if isinstance(node.value, list):
        return [plain_data(value) for value in node.value]
    return _scalar(node.value) if node.plain else node.value


def _scalar(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def node_of(data: object, depth: int = 0) -> Node:
    """Plain values as a tree without lines. Raises FormatError where they are nested too deeply."""
    if depth > DEEPEST:
        raise FormatError(f"The values are nested more than {DEEPEST} deep.")
    if isinstance(data, dict):
        return Node({str(name): node_of(value, depth + 1) for name, value in data.items()})
    if isinstance(data, (list, tuple)):
        return Node([node_of(value, depth + 1) for value in data])
    return Node("" if data is None else str(data), plain=not isinstance(data, str))
