"""Defusing sign by sign, with every mark looked for everywhere: what the fast way must do exactly."""

from __future__ import annotations

from extensions.airoboros_longctx.core import look_alikes


def slow_defuse_text(text: str, starts_line: bool = True) -> tuple[str, int]:
    count = 0
    while True:
        looks, places = "", []
        for place, sign in enumerate(text):
            look = look_alikes._look(sign)
            looks += look
            places += [place] * len(look)
        marks = look_alikes._MARKS if starts_line else look_alikes._MARKS_WITHIN_A_LINE
        found = list(marks.finditer(looks))
        if not found:
            return text, count
        for mark in reversed(found):
            end = places[mark.end() - 1] + 1
            text = f"{text[:end]}{' ' if mark['hyphen'] is None else '-'}{text[end:]}"
        count += len(found)
