"""The sources that a reply states, as these models write them.

The models write ``Source:`` or ``Reference(s):`` after the answer, then the metadata pairs of the blocks that they
used, one group per block. They also write it otherwise: in one line, with bullets, quotes or brackets, as an address.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ..foreign_text import quoted

#: What is looked at of a reply that goes on and on.
_HEADERS, _SECTION_CHARACTERS, _GROUPS, _PAIRS = 50, 4000, 20, 200
_STATED_CHARACTERS = 200

_WORD = r"(?:sources?(?:\(s\))?|references?|reference\(s\))"
#: At the start of a line in any spelling, also without a colon where nothing else stands there; within one as written.
_HEADER = re.compile(
    rf"^[ \t#>*_\-\[(]{{0,12}}(?i:{_WORD})[\])*_ \t]{{0,6}}(?:[:\uff1a][*_]{{0,3}}|$)"
    r"|(?<=[\s(\[*_])(?:Sources?|References?|Reference\(s\))[\]*_]{0,3}[:\uff1a][*_]{0,3}",
    re.MULTILINE,
)
_DECORATION = " \t\r\"'“”‘’«»`*_()[]{}<>•·-–—,;|"
_ENDING = ".!?:/"
_BULLET = re.compile(r"\s*(?:[-*•·–]|\(?\[?\d{1,3}[.)\]])\s+")
_NAME = re.compile(r"[^\W\d_][\w .\-/]{0,39}")
_NOTHING = re.compile(
    r"(?i)none|n/?a|unknown|not (?:given|provided|available|specified|stated|applicable)|no (?:source|reference)s?\b.*"
)


@dataclass(frozen=True)
class StatedGroup:
    """One source as it is stated: its pairs in order. A value without a name has the name "". ``text`` is to read."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        return quoted(
            ", ".join(f"{name}: {value}" if name else value for name, value in self.pairs), _STATED_CHARACTERS
        )


def normalised(text: str) -> str:
    """``text`` as metadata is compared: compatibility forms, case, blanks and signs around it make no difference."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return plain.strip(_DECORATION + _ENDING)


def split_reply(reply: str, names: Sequence[str]) -> tuple[str, tuple[StatedGroup, ...]]:
    """The answer without its sections of sources, and the groups in them. ``names`` are those of known metadata."""
    known = {normalised(name) for name in names}
    inside_a_line = _known_names(known)
    answer: list[str] = []
    groups: list[StatedGroup] = []
    end = 0
    for header in islice(_HEADER.finditer(reply), _HEADERS):
        if header.start() < end or len(groups) >= _GROUPS:
            continue
        found, length = _section(reply[header.end() : header.end() + _SECTION_CHARACTERS], known, inside_a_line)
        if not found and header[0].rstrip("*_ \t")[-1:] not in ":\uff1a":
            continue  # the word alone on a line, and no source after it
        answer.append(reply[end : header.start()])
        groups += found
        end = header.end() + length
    return "".join([*answer, reply[end:]]), tuple(groups[:_GROUPS])


def _known_names(known: set[str]) -> re.Pattern[str] | None:
    """Finds the beginning of a pair within a line, where line ends are missing."""
    names = sorted((re.escape(name) for name in known if name), key=len, reverse=True)[:_PAIRS]
    return re.compile(rf"(?i)(?:(?<=[\s,;|(\[])|\A)(?:{'|'.join(names)})\s?:(?=\s|\w)") if names else None


def _section(text: str, known: set[str], inside_a_line: re.Pattern[str] | None) -> tuple[list[StatedGroup], int]:
    """The groups at the start of ``text``, and how much of it they are."""
    groups: list[list[tuple[str, str]]] = [[]]
    length = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        if not line.strip(_DECORATION + "\n"):
            groups.append([])
        else:
            pairs = _pairs(line, known, inside_a_line)
            stated = [pair for group in groups for pair in group]
            if not pairs and (stated or number > 2):
                break  # the answer goes on
            if not pairs:
                pairs = [("", _value(line))]
            if _BULLET.match(line) and groups[-1] and pairs[0][0] in ("", *(name for name, _ in groups[-1])):
                groups.append([])
            for name, value in pairs:
                if name and name in (there for there, _ in groups[-1]):
                    groups.append([])
                groups[-1].append((name, value))
        length += len(line)
        if sum(map(len, groups)) >= _PAIRS:
            break
    kept = [[(name, value) for name, value in group if value and not _NOTHING.fullmatch(value)] for group in groups]
    return [StatedGroup(tuple(group)) for group in kept if group], length


def _pairs(line: str, known: set[str], inside_a_line: re.Pattern[str] | None) -> list[tuple[str, str]]:
    """The pairs of one line; an address is a value without a name. Nothing where the line is prose."""
    bullet = _BULLET.match(line)
    line = line[bullet.end() if bullet else 0 :].strip(_DECORATION + "\n")
    starts = [match.start() for match in inside_a_line.finditer(line)] if inside_a_line else []
    if starts and not line[: starts[0]].strip(_DECORATION):
        parts = [line[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
        return [(normalised(name), _value(value)) for name, _, value in (part.partition(":") for part in parts)]
    if re.match(r"(?i)https?://|www\.", line):
        return [("", _value(line))]
    name, colon, value = line.partition(":")
    name = name.strip(_DECORATION)
    if colon and value.strip() and _NAME.fullmatch(name) and len(name.split()) <= 3:
        return [(normalised(name), _value(value))]
    return []


def _value(text: str) -> str:
    return text.strip(_DECORATION + "\n").rstrip(".")
