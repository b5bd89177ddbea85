"""The fields of the chosen form: a fixed row that takes its labels, for Gradio 3 draws nothing after its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.formats.form_field import CHOICE, DOCUMENT, LINE, NUMBER, FormField

#: So many fields of a form can be filled in on a page.
MOST_SLOTS = 12
_LINES = 3
_MOST_LINES = 14


def create_slots() -> list[Any]:
    """A text field and a list of choices for each field; all of them hidden."""
    import gradio as gr

    slots = []
    for number in range(MOST_SLOTS):
        name = f"airoboros-longctx-format-{number}"
        slots.append(gr.Textbox(visible=False, interactive=True, max_lines=_MOST_LINES, elem_id=name))
        slots.append(gr.Radio([], visible=False, interactive=True, elem_id=f"{name}-choice"))
    return slots


def slots_for(fields: Sequence[FormField], values: Mapping[str, str]) -> list[Any]:
    """The slots as ``fields`` need them, filled in with ``values`` by name, else with their defaults."""
    import gradio as gr

    shown: list[Any] = []
    for field in fields[:MOST_SLOTS]:
        label, value = _label(field), values.get(field.name, _default(field))
        if field.kind == CHOICE:
            choices = list(field.choices)
            shown += [gr.update(visible=False), gr.update(choices=choices, value=value, label=label, visible=True)]
        else:
            lines = 1 if field.kind in (LINE, NUMBER) else _LINES
            shown += [gr.update(value=value, label=label, lines=lines, visible=True), gr.update(visible=False)]
    return shown + [gr.update(visible=False)] * (2 * MOST_SLOTS - len(shown))


def _default(field: FormField) -> str:
    return field.default or (field.choices[0] if field.kind == CHOICE else "")


def changed_in(fields: Sequence[FormField], slots: Sequence[Any]) -> dict[str, str]:
    """What a person changed, by the name of its field; what was emptied is empty."""
    return {field.name: value for field, value in _filled(fields, slots) if value != _default(field)}


def _label(field: FormField) -> str:
    if field.kind == DOCUMENT and not field.default:
        return f"{field.label} (left empty: the documents of this chat that are on)"
    return field.label if field.required else f"{field.label} (may be left empty)"


def values_of(fields: Sequence[FormField], slots: Sequence[Any]) -> dict[str, str]:
    """What was filled in, by the name of its field. One that is empty is left out, unless its default was deleted."""
    return {field.name: value for field, value in _filled(fields, slots) if value.strip() or field.default}


def _filled(fields: Sequence[FormField], slots: Sequence[Any]) -> Iterator[tuple[FormField, str]]:
    """Each field that has a slot, with what stands there."""
    for number, field in enumerate(fields[:MOST_SLOTS]):
        yield field, str(slots[2 * number + (field.kind == CHOICE)] or "")
