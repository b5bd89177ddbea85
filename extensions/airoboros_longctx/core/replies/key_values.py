"""The values of an answer that a reader would check.

Values are numbers, dates, quotations and proper names. What an ordinary paraphrase changes is none: small numbers,
number words, rounding, the way a date is written, a name's ending, names of nations and languages, titles, headings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Whole numbers below it count things, name steps or are words; they are no values.
_SMALL = 10

NUMBER = re.compile(r"(?<![\w.,])\d{1,3}(?:[,\u00a0\u202f' ]\d{3})+(?:\.\d+)?(?![\d])|\d+(?:[.,]\d+)*")
_LIST_NUMBER = re.compile(r"(?m)^[ \t]*(?:\(?\d{1,3}[.)]|\[\d{1,3}\]|[Ss]tep \d+:?)(?=[ \t]+\S)|\[\d{1,3}\]")
MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{month[:3].capitalize()}(?:{month[3:]})?" for month in MONTHS) + "|Sept"
DATE = re.compile(
    rf"(?P<y>\d{{4}})-(?P<m>\d\d)-(?P<d>\d\d)"
    rf"|(?P<m2>{_MONTH})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y2>\d{{4}})"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?(?P<m3>{_MONTH})\.?,? (?P<y3>\d{{4}})"
)
_QUOTE = re.compile(r"\"([^\"\n]{3,300})\"|“([^”\n]{3,300})”|«([^»\n]{3,300})»")
TOKEN = re.compile(r"\w+")
_CAPITAL = r"[^\W\d_a-z][\w’'.&-]*"
_NAME = re.compile(rf"(?<![\w’'])(?:{_CAPITAL})(?:[ ](?:(?:of|the|de|van|von|and|&) )?(?:{_CAPITAL}))*")
#: What ends a sentence, opens a line or a quotation: the next word is a capital anyway.
_FRESH = re.compile(r"(?:\A|[.!?:;\n\"“”«»(\[#>|•–—-])[\s*_`]*\Z")
_HEADING = re.compile(r"(?m)^[ \t]*(?:#.*|\**[^\n:.!?]{1,80}:\**[ \t]*|\*\*[^*\n]+\*\*[ \t]*)$")
_NO_NAMES = frozenset(
    MONTHS
    + "monday tuesday wednesday thursday friday saturday sunday mr mrs ms dr prof sir lady president minister king "
    "queen professor captain general doctor the a an of and or to in on at by for from with as is are was were it he "
    "she they we you i im yes no not none answer answers document documents source sources reference references note "
    "question text context according however therefore thus also based this that these there here if when while but "
    "so its his her their our my your who what where why how internet earth god ok".split()
)


@dataclass(frozen=True)
class Value:
    """``kind`` is number, date, quotation or name. Of a name, ``checked`` are the words that would else be small."""

    kind: str
    text: str
    checked: tuple[str, ...] = ()


def key_values(answer: str) -> Iterator[Value]:
    """The values of ``answer``, kind by kind; what is part of a date or a quotation is no value of its own."""
    rest = _HEADING.sub("\n", _LIST_NUMBER.sub("", answer))
    for pattern, kind in ((_QUOTE, "quotation"), (DATE, "date")):
        for match in pattern.finditer(rest):
            if kind == "date" or len(match[0].split()) > 1:
                yield Value(kind, match[0])
        rest = pattern.sub(lambda match: " " * len(match[0]), rest)
    for match in NUMBER.finditer(rest):
        if digits_of(match[0]).strip("0.") and (not match[0].isdecimal() or int(match[0][:20]) >= _SMALL):
            yield Value("number", match[0])
    for match in _NAME.finditer(rest):
        checked = tuple(_names_in(match[0], fresh=bool(_FRESH.search(rest[max(0, match.start() - 8) : match.start()]))))
        if checked and rest[match.end() : match.end() + 1] != ":":
            yield Value("name", match[0].rstrip(".,’'&-"), checked)


def _names_in(run: str, fresh: bool) -> Iterator[str]:
    for number, token in enumerate(TOKEN.findall(run)):
        word = token.casefold()
        first = fresh and number == 0
        if not first and token[0].isupper() and len(word) > 2 and word not in _NO_NAMES and not word[0].isdigit():
            yield token


def digits_of(number: str) -> str:
    """``1,234.50`` and ``1 234.5`` are ``1234.5``."""
    joined = re.sub(r"[\u00a0\u202f' ]|,(?=\d{3}(?:\D|\Z))", "", number).replace(",", ".")
    whole, _, decimals = joined.partition(".")
    decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{decimals}" if decimals else "")


def date_of(match: re.Match[str]) -> tuple[int, int, int] | None:
    year = match["y"] or match["y2"] or match["y3"]
    month = match["m"] or match["m2"] or match["m3"]
    day = int(match["d"] or match["d2"] or match["d3"])
    number = (
        int(month) if month.isdecimal() else MONTHS.index(next(m for m in MONTHS if m[:3] == month[:3].lower())) + 1
    )
    return (int(year), number, day) if 1 <= number <= 12 and 1 <= day <= 31 else None
