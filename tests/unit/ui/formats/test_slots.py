"""The fields of a form in a fixed row of slots."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.formats.form_field import CHOICE, DOCUMENT, LIST, NUMBER, FormField
from extensions.airoboros_longctx.ui.formats.slots import MOST_SLOTS, changed_in, slots_for, values_of

WHO = FormField("who", "Who", default="Ann")
MOOD = FormField("mood", "Mood", CHOICE, choices=("sad", "glad"))
ITEMS = FormField("items", "Items", LIST, required=False)
TEXT = FormField("text", "Text", DOCUMENT)
COUNT = FormField("count", "How many", NUMBER, default="3")


def shown(fields, values=None):
    pytest.importorskip("gradio")
    updates = slots_for(fields, values or {})
    assert len(updates) == 2 * MOST_SLOTS
    return [{key: value for key, value in one.items() if key != "__type__"} for one in updates]


def test_a_field_takes_its_slot_and_the_others_hide():
    updates = shown((WHO, MOOD))
    assert updates[0] == {"value": "Ann", "label": "Who", "lines": 1, "visible": True}
    assert updates[3] == {"choices": ["sad", "glad"], "value": "sad", "label": "Mood", "visible": True}
    assert [number for number, one in enumerate(updates) if one["visible"]] == [0, 3]


def test_what_was_changed_is_there_again():
    updates = shown((WHO, MOOD, COUNT), {"who": "", "mood": "glad"})
    assert [updates[number]["value"] for number in (0, 3, 4)] == ["", "glad", "3"]
    slots = ["", None, None, "glad", "3", None]
    assert changed_in((WHO, MOOD, COUNT), slots) == {"who": "", "mood": "glad"}
    assert changed_in((WHO, MOOD, COUNT), ["Ann", None, None, "sad", "3", None]) == {}


def test_a_label_says_what_an_empty_field_means():
    updates = shown((ITEMS, TEXT, COUNT))
    assert [updates[number]["label"] for number in (0, 2, 4)] == [
        "Items (may be left empty)",
        "Text (left empty: the documents of this chat that are on)",
        "How many",
    ]
    assert [updates[number]["lines"] for number in (0, 2, 4)] == [3, 3, 1]


def test_more_fields_than_slots_fill_the_slots():
    updates = shown([FormField(f"field_{number}", "x") for number in range(MOST_SLOTS + 1)])
    assert sum(one["visible"] for one in updates) == MOST_SLOTS


def test_values_by_name_without_the_empty_ones():
    slots = ["Bob", None, "not this", "glad", " \n", None, None, None]
    assert values_of((WHO, MOOD, ITEMS, TEXT), slots) == {"who": "Bob", "mood": "glad"}
