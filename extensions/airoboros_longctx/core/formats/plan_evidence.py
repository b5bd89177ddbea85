"""How a plan names evidence, in the two spellings that the models were trained on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: The card of m2.0 shows the first; the other is that of the reWOO paper (arXiv:2305.18323), and counts from 1.
EVIDENCE, HASH = ":evidence0:", "#E1"


@dataclass(frozen=True)
class EvidenceSpelling:
    """``name`` makes the name of evidence number n, ``first`` is the first n, ``pattern`` finds a name in a text.

    The prompt's own example once leaves out the last colon, and so do models: ``pattern`` finds that name too.
    """

    first: int
    name: Callable[[int | str], str]
    pattern: re.Pattern[str]


_NAME = re.compile(r":evidence([0-9]{1,6})(?![0-9]):?", re.IGNORECASE)
_HASH_NAME = re.compile(r"#E([0-9]{1,6})(?![0-9A-Za-z])", re.IGNORECASE)
SPELLINGS: Mapping[str, EvidenceSpelling] = {
    EVIDENCE: EvidenceSpelling(0, lambda number: f":evidence{number}:", _NAME),
    HASH: EvidenceSpelling(1, lambda number: f"#E{number}", _HASH_NAME),
}


def named_in(text: str, spelling: str) -> tuple[str, ...]:
    """The evidences that ``text`` names, each once, in order, as ``spelling`` writes them."""
    form = SPELLINGS[spelling]
    return tuple(dict.fromkeys(form.name(int(number)) for number in form.pattern.findall(text)))


def substituted(text: str, spelling: str, results: Mapping[str, str]) -> str:
    """``text`` with each evidence's name replaced by its result, in one pass: names in a result stay as they are.

    A name that is not in ``results`` stays too.
    """
    form = SPELLINGS[spelling]
    return form.pattern.sub(lambda found: results.get(form.name(int(found[1])), found[0]), text)


def substituted_characters(text: str, spelling: str, results: Mapping[str, str]) -> int:
    """How long ``substituted`` would be, without making it."""
    form = SPELLINGS[spelling]
    length = len(text)
    for found in form.pattern.finditer(text):
        length += len(results.get(form.name(int(found[1])), found[0])) - len(found[0])
    return length
