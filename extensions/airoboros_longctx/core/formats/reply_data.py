"""Finding the one function call in a reply: JSON or YAML, wherever it stands among prose and fences, in linear time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..foreign_text import quoted, whole_characters
from .errors import FormatError
from .yaml_data import DEEPEST, plain_data, read_yaml

AGAIN = "generate the reply again"
LONGER = "allow a longer reply (max_new_tokens), or generate it again"
_MOST_DIGITS = 400
#: Of braces that begin no JSON. What is wrong with each is looked up by counting lines, from the first.
_MOST_FAILURES = 1000
_OBJECT = re.compile(r'\{(?=\s*")')
_BROKEN_CALL = re.compile(r'\{\s*"function"')
_KEY = re.compile(r"^(?P<indent>[ \t]*)(?:function|params)[ \t]*:(?=\s|\Z)", re.MULTILINE)
_ANY_CASE = re.compile(r"""^[ \t{]*["']?(function)["']?[ \t]*:""", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A mapping that names a function, and the line of the reply (from 1) where it begins."""

    data: dict[str, Any]
    line: int


class _Refused(ValueError):
    """JSON that parses, but not as one value of JSON: said as it is."""


def find_call(reply: str) -> Found:
    """The one mapping with the name ``function``. Raises FormatError where there is none, or more than one."""
    blocks = list(_yaml_blocks(reply))
    calls: list[Found] = []
    failure: FormatError | None = None
    start = 0
    for begin, end in [*blocks, (len(reply), len(reply))]:
        if len(calls) < 2:
            found, broken = _json_calls(reply, start, begin)
            calls, failure = calls + found, failure or broken
        if begin < end and len(calls) < 2:
            calls.append(_yaml_call(reply, begin, end))
        start = end
    if len(calls) > 1:
        lines = f"lines {calls[0].line} and {calls[1].line}"
        raise FormatError(f"More than one function call was found ({lines}); one is needed: {AGAIN}.", calls[1].line)
    if calls:
        return calls[0]
    raise failure or _nothing(reply)


def _nothing(reply: str) -> FormatError:
    if not reply.strip():
        return FormatError(f"The reply is empty; a function call in JSON or YAML is needed: {AGAIN}.")
    if cased := _ANY_CASE.search(reply):
        line = _line_of(reply, cased.start(1))
        if cased[1] == "function":
            needed = "JSON, which has double quotation marks around names and texts, nor YAML, which has none around"
            return FormatError(f"What begins there is neither {needed} function: {AGAIN}.", line)
        return FormatError(f"{cased[1]!r} was found where a call begins with 'function': {AGAIN}.", line)
    return FormatError(
        f"No function call was found in {quoted(reply, 60)!r}; JSON or YAML with function and params is needed: "
        f"{AGAIN}."
    )


def _line_of(reply: str, place: int) -> int:
    return reply.count("\n", 0, place) + 1


def _json_calls(reply: str, start: int, end: int) -> tuple[list[Found], FormatError | None]:
    """At most two calls, and what is wrong with the first JSON that does not parse. No part is read twice: what failed
    at some place is left up to there.
    """
    calls: list[Found] = []
    failure: FormatError | None = None
    failures = 0
    text = reply if end == len(reply) else reply[:end]
    while len(calls) < 2 and failures < _MOST_FAILURES and (opening := _OBJECT.search(text, start)):
        begin = opening.start()
        try:
            data, start = _DECODER.raw_decode(text, begin)
        except json.JSONDecodeError as error:
            failure = failure or _invalid(text, begin, error)
            if _BROKEN_CALL.match(text, begin):
                raise _invalid(text, begin, error) from None
            start, failures = max(error.pos, begin + 1), failures + 1
        except _Refused as error:
            return calls, FormatError(f"The JSON there {error}: {AGAIN}.", _line_of(text, begin))
        except RecursionError:
            return calls, _too_deep(_line_of(text, begin))
        else:
            if isinstance(data, dict) and "function" in data:
                line = _line_of(text, begin)
                if _deeper_than(data, DEEPEST):
                    raise _too_deep(line)
                calls.append(Found(_in_whole_characters(data), line))
    return calls, failure


def _invalid(text: str, begin: int, error: json.JSONDecodeError) -> FormatError:
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return FormatError(f"The JSON that begins there ends before it is complete: {LONGER}.", _line_of(text, begin))
    return FormatError(f"The JSON is not valid there ({error.msg}): {AGAIN}.", _line_of(text, error.pos))


def _too_deep(line: int) -> FormatError:
    return FormatError(f"The JSON there is nested more than {DEEPEST} deep: {AGAIN}.", line)


def _deeper_than(data: object, most: int) -> bool:
    level: list[object] = [data]
    for _ in range(most):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return False
    return any(isinstance(one, (dict, list)) for one in level)


def _in_whole_characters(data: Any) -> Any:
    if isinstance(data, str):
        return whole_characters(data)
    if isinstance(data, list):
        return [_in_whole_characters(part) for part in data]
    if isinstance(data, dict):
        return {whole_characters(name): _in_whole_characters(part) for name, part in data.items()}
    return data


def _parts(data: object) -> list[object]:
    return list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else []


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in pairs:
        if name in data:
            raise _Refused(f"has the name {quoted(name, 60)!r} twice")
        data[name] = value
    return data


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise _Refused(f"has a number of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    if not math.isfinite(float(text)):
        raise _Refused(f"has the number {quoted(text, 60)}, which is too large")
    return float(text)


def _constant(text: str) -> Any:
    raise _Refused(f"has {text}, which is no value of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _yaml_blocks(reply: str) -> Iterator[tuple[int, int]]:
    """Where lines such as ``function: name`` and what is indented below them begin and end: two at most."""
    start = 0
    for _ in range(2):
        opening = _KEY.search(reply, start)
        if opening is None:
            return
        start = _end_of_block(reply, opening.start(), opening["indent"])
        yield opening.start(), start


def _end_of_block(reply: str, begin: int, indent: str) -> int:
    seen: set[str] = set()
    place = end = begin
    while place < len(reply):
        line_end = reply.find("\n", place)
        line_end = len(reply) if line_end < 0 else line_end + 1
        line = reply[place:line_end]
        if line.strip():
            deeper = line.startswith((indent + " ", indent + "\t"))
            if not deeper:
                key = line.strip().partition(":")[0].strip()
                if not _KEY.match(line) or not line.startswith(indent) or key in seen:
                    return end
                seen.add(key)
            end = line_end
        place = line_end
    return end


def _yaml_call(reply: str, begin: int, end: int) -> Found:
    line = _line_of(reply, begin)
    try:
        data = plain_data(read_yaml(reply[begin:end], "The YAML there"))
    except FormatError as error:
        if error.line is None:
            raise FormatError(f"{error} {AGAIN.capitalize()}.", line) from None
        sentence = str(error).removeprefix(f"Line {error.line}: ")
        raise FormatError(f"{sentence} {AGAIN.capitalize()}.", error.line + line - 1) from None
    if "function" not in data:
        raise FormatError(f"params was found without a function: {AGAIN}.", line)
    return Found(data, line)
