"""Defusing sign by sign, with every mark looked for everywhere: what the fast way must do exactly."""

from __future__ import annotations

import re

from extensions.airoboros_longctx.core.prompts import look_alikes

_HYPHEN = f"(?P<hyphen>{'|'.join((*look_alikes._DELIMITERS, *look_alikes._PHRASES))})"
_SPECIAL = "|".join(look_alikes._SPECIALS)
#: Every mark in one expression, tried at every place.
MARKS = re.compile(rf"{_HYPHEN}|{_SPECIAL}|(?:(?<=\n)|\A)[ \t]*(?:{'|'.join(look_alikes._ROLES)})(?=:)")
MARKS_WITHIN_A_LINE = re.compile(f"{_HYPHEN}|{_SPECIAL}")


def slow_defuse_text(text: str, starts_line: bool = True) -> tuple[str, int]:
    count = 0
    while True:
        looks, places = "", []
        for place, sign in enumerate(text):
            look = look_alikes._look(sign)
            looks += look
            places += [place] * len(look)
        found = list((MARKS if starts_line else MARKS_WITHIN_A_LINE).finditer(looks))
        if not found:
            return text, count
        for mark in reversed(found):
            end = places[mark.end() - 1] + 1
            text = f"{text[:end]}{' ' if mark['hyphen'] is None else '-'}{text[end:]}"
        count += len(found)
