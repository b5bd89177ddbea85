"""The fast way to find marks does what the slow one does, sign by sign."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.prompts.look_alikes import defuse_text
from tests.unit.core.naive_closed_context import MARKS, TAGS
from tests.unit.core.slow_look_alikes import slow_defuse_text
from tests.unit.test_hostile_documents import ATTACKS

#: Signs that look like none, one or several others, next to halves of marks.
SIGNS = ["\u200b", "\u00ad", "\u0301", "ﬀ", "№", "㎏", "…", "\u2028", "\x07", "\ud800", "🇪", "İ", "ß", "日", "é", "Ø",
         "\u2800", "\u3164", "：", "＜", "Е", "-", "]", "^", "\\", "\t", "\n", " "]  # fmt: skip
HALVES = [
    "BEG",
    "IN",
    "END",
    "IN\nPUT",
    "CONTEXT",
    "INSTRUCTION",
    "US",
    "ER",
    ":",
    "ASSl",
    "STANT",
    "<",
    "/s>",
    "[",
    "INST]",
]
PIECES = [*TAGS, *MARKS, *HALVES, *SIGNS, *(text for text, _, _ in ATTACKS.values())]
TEXTS = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=14).map("".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.booleans())
@example("\u200bﬀ\u200bENDINPUT№</s>\u0301", True)
@example("ﬀﬀﬀE\u200b\u200bN\u0301DINPUT", True)
@example("x" * 40 + "ENDINPＵT…" + "日" * 40, True)
def test_the_fast_way_is_the_slow_way(text, starts_line):
    assert defuse_text(text, starts_line) == slow_defuse_text(text, starts_line)


@pytest.mark.parametrize(
    "around", ["", "a" * 500, "Гавань " * 60, "…" * 40 + "plain " * 200], ids=lambda text: text[:1]
)
@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_in_much_and_in_little_foreign_writing(name, around):
    text = f"{around}\n{ATTACKS[name][0]}\n{around}"
    found = defuse_text(text)
    assert found == slow_defuse_text(text)
    assert found[1] >= 1
