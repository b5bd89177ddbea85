"""The values of an answer that none of its documents has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ..foreign_text import quoted
from ..prompts.closed_context import Document
from .key_values import DATE, MONTHS, NUMBER, TOKEN, Value, date_of, digits_of, key_values

_LOOKED_AT, _VALUES, _VALUE_CHARACTERS = 500, 12, 80
#: Where more of a text's words are capitalised than names would be (German), a lone capital is no name.
_MANY_CAPITALS, _ENOUGH_WORDS = 0.18, 120
_DEMONYM = re.compile(r"\w+(?:ish|ese|ians?|eans?|cans?)|french|germans?|dutch|greeks?|swiss|czech|thai")
_NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
} | {word: 10 * value for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}


def unfound_values(answer: str, blocks: Sequence[Document], question: str) -> tuple[str, ...]:
    """The values of ``answer`` that occur neither in the ``blocks`` nor in the ``question``, as they are written."""
    values = list(islice(key_values(unicodedata.normalize("NFKC", answer)), _LOOKED_AT))
    if not values:
        return ()
    known = _KnownText.of([question, *(_whole(block) for block in blocks)])
    missing = (quoted(value.text, _VALUE_CHARACTERS) for value in values if not known.has(value))
    return tuple(dict.fromkeys(missing))[:_VALUES]


def _whole(block: Document) -> str:
    return "\n".join([*(f"{name}: {value}" for name, value in block.metadata), block.text])


@dataclass(frozen=True)
class _KnownText:
    """What the documents and the question say, prepared once."""

    words: frozenset[str]
    beginnings: frozenset[str]
    numbers: frozenset[str]
    dates: frozenset[tuple[int, int, int]]
    running: str
    initials: str
    lone_capitals_are_names: bool

    @classmethod
    def of(cls, texts: Sequence[str]) -> _KnownText:
        whole = unicodedata.normalize("NFKC", "\n".join(texts))
        tokens = TOKEN.findall(whole)
        words = [token.casefold() for token in tokens]
        numbers = {digits_of(match[0]) for match in NUMBER.finditer(whole)}
        numbers |= {
            part.lstrip("0") or "0" for word in words if not word.isalpha() for part in re.findall(r"\d+", word)
        }
        said = frozenset(words)
        numbers |= {str(number) for number, month in enumerate(MONTHS, 1) if {month, month[:3]} & said}
        capitals = sum(token[0].isupper() for token in tokens)
        return cls(
            said,
            frozenset(word[:5] for word in words if len(word) > 4),
            frozenset(numbers | set(_number_words(words))),
            frozenset(date for match in DATE.finditer(whole) if (date := date_of(match)) is not None),
            f" {' '.join(words)} ",
            "".join(word[0] for word in words),
            len(tokens) < _ENOUGH_WORDS or capitals / len(tokens) < _MANY_CAPITALS,
        )

    def has(self, value: Value) -> bool:
        if value.kind == "number":
            return self._has_number(value.text)
        if value.kind == "quotation":
            words = " ".join(token.casefold() for token in TOKEN.findall(value.text))
            return not words or f" {words} " in self.running
        if value.kind == "date":
            return self._has_date(value.text)
        if len(value.checked) == 1 and not self.lone_capitals_are_names:
            return True
        return all(self._has_name(token) for token in value.checked)

    def _has_number(self, text: str) -> bool:
        digits = digits_of(text)
        if digits in self.numbers:
            return True
        if digits.count(".") > 1:  # a date, a version
            return all((part.lstrip("0") or "0") in self.numbers for part in digits.split("."))
        if "." in digits:  # rounded to fewer decimals
            places = len(digits.partition(".")[2])
            return any(_rounds_to(number, digits, places) for number in self.numbers if "." in number)
        scaled = (f"{digits.rstrip('0')}{'0' * zeros}" for zeros in range(13))  # 3,000,000 is 3 million
        return len(digits) > 4 and digits.endswith("000") and any(number in self.numbers for number in scaled)

    def _has_date(self, text: str) -> bool:
        match = DATE.search(text)
        date = date_of(match) if match is not None else None
        if date is None or date in self.dates:
            return True
        year, month, day = date
        return all(str(part) in self.numbers for part in (year, month, day))

    def _has_name(self, token: str) -> bool:
        word = token.casefold()
        if word in self.words or word.rstrip("s") in self.words or f"{word}s" in self.words:
            return True
        if _DEMONYM.fullmatch(word) or (len(word) > 6 and word[:5] in self.beginnings):
            return True
        return token.isupper() and len(token) <= 5 and word in self.initials


def _rounds_to(number: str, digits: str, places: int) -> bool:
    try:
        return abs(float(number) - float(digits)) <= 0.5000001 / 10.0**places
    except (ValueError, OverflowError):
        return False


def _number_words(words: Sequence[str]) -> Iterator[str]:
    """``twenty five thousand`` is 20, 5, 25, 1000 and 25000."""
    total = 0
    for word in words:
        if word in _NUMBER_WORDS:
            value = _NUMBER_WORDS[word]
            total = total + value if total and total % 10 == 0 and value < 10 else value
            yield from (str(value), str(total))
        elif word in _SCALES:
            total = min(max(total, 1) * _SCALES[word], 10**15)
            yield from (str(_SCALES[word]), str(total))
        elif word != "and":
            total = 0
