"""A reply cut into parts at the lines that begin one: a thought, an evidence, the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .plan_evidence import SPELLINGS

PLAN, EVIDENCE, ANSWER = "Plan:", "evidence", "Answer:"
#: Whatever begins a part begins with one of these.
_FIRST_SIGNS = frozenset("PpFfAa:#")
_THOUGHT = re.compile(r"\s*Plan\s*:", re.IGNORECASE)
_LAST = re.compile(r"\s*(?:Final\s+)?Answer\s*:", re.IGNORECASE)


@dataclass
class Part:
    """What begins at ``line``: a thought, evidence ``number`` or the answer; ``lines`` without what begins it."""

    kind: str
    line: int
    lines: list[str]
    number: int = 0

    def text(self) -> str:
        """Its lines, without the blank ones and the fences at their end."""
        end = len(self.lines)
        while end > 1 and is_blank(self.lines[end - 1]):
            end -= 1
        return "\n".join(self.lines[:end])


@dataclass(frozen=True)
class _Definition:
    """Finds ``:evidence0: =`` and the like at the start of a line, and behind a bracket."""

    at_start: re.Pattern[str]
    behind_bracket: re.Pattern[str]


def _definition(spelling: str) -> _Definition:
    name = SPELLINGS[spelling].pattern.pattern
    return _Definition(
        re.compile(rf"\s*{name}\s*=", re.IGNORECASE),
        re.compile(rf"\]\s*{name}\s*=\s*[\w-]{{1,200}}\[", re.IGNORECASE),
    )


DEFINITIONS: Mapping[str, _Definition] = {spelling: _definition(spelling) for spelling in SPELLINGS}


def parts_of(lines: Sequence[str], asked: str) -> tuple[list[Part], str]:
    """The parts, in the spelling that was asked for unless only another one defines anything."""
    found = _split(lines, DEFINITIONS[asked].at_start)
    if not any(part.kind == EVIDENCE for part in found):
        for other in SPELLINGS:
            parts = _split(lines, DEFINITIONS[other].at_start)
            if any(part.kind == EVIDENCE for part in parts):
                return parts, other
    return found, asked


def _split(lines: Sequence[str], definition: re.Pattern[str]) -> list[Part]:
    parts: list[Part] = []
    for number, line in enumerate(lines, 1):
        if line.lstrip()[:1] not in _FIRST_SIGNS:
            if parts:
                parts[-1].lines.append(line)
        elif begin := _THOUGHT.match(line):
            parts.append(Part(PLAN, number, [line[begin.end() :]]))
        elif begin := definition.match(line):
            parts.append(Part(EVIDENCE, number, [line[begin.end() :]], int(begin[1])))
        elif begin := _LAST.match(line):
            parts.append(Part(ANSWER, number, [line[begin.end() :]]))
        elif parts:
            parts[-1].lines.append(line)
    return parts


def is_blank(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("```")
