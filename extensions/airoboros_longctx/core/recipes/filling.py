"""A recipe and its values become one message. Values are taken literally: no brace in them is a placeholder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..foreign_text import quoted, quoted_value
from ..formats.form_field import CHOICE, DOCUMENT, LINE, LIST, NUMBER, FormField
from ..prompts.look_alikes import defuse_text
from .recipe import PLACEHOLDER, Recipe, RecipeError

_LARGEST = 999_999_999


def fill(recipe: Recipe, values: Mapping[str, str | int | Sequence[str]]) -> str:
    """The message of ``recipe``. A list is a sequence of texts or a text with a line for each.

    What is left out takes its default, and what is empty is empty; a line of the template all of whose fields are empty
    is left out. Raises RecipeError that lists what is unknown or missing by name. A document, and everything in a
    template with delimiters of the closed-context format, is made harmless as documents are.
    """
    names = [field.name for field in recipe.fields]
    if unknown := [quoted(name, 60) for name in values if name not in names]:
        takes = f"it has {', '.join(names)}" if names else "it has no fields"
        raise RecipeError(f"{recipe.title} has no field {', '.join(unknown[:8])}; {takes}.")
    texts = {field.name: _text(field, values.get(field.name)) for field in recipe.fields}
    if missing := [field.spoken for field in recipe.fields if field.required and not texts[field.name].strip()]:
        raise RecipeError(f"{recipe.title} lacks {', '.join(missing)}; fill in what is missing.")
    for field in recipe.fields:
        if recipe.has_delimiters or field.kind == DOCUMENT:
            texts[field.name], _ = defuse_text(texts[field.name])
    return "\n".join(
        PLACEHOLDER.sub(lambda found: texts[found[1]], line)
        for line in recipe.template.split("\n")
        if not _says_nothing(line, texts)
    )


def _says_nothing(line: str, texts: Mapping[str, str]) -> bool:
    names = PLACEHOLDER.findall(line)
    return bool(names) and not any(texts[name] for name in names)


def _text(field: FormField, value: object) -> str:
    if value is None:
        value = field.default
    if field.kind == LIST:
        return _list(field, value)
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise RecipeError(f"{field.spoken} is {quoted_value(value, 60)}; a {field.kind} is needed.")
    text = str(value).replace("\r\n", "\n").strip("\n")
    if field.kind == NUMBER and text and not (re.fullmatch("[0-9]{1,9}", text) and 1 <= int(text) <= _LARGEST):
        raise RecipeError(f"{field.spoken} is {quoted(text, 60)!r}; a whole number from 1 is needed.")
    if field.kind == CHOICE and text and text not in field.choices:
        raise RecipeError(f"{field.spoken} is {quoted(text, 60)!r}; one of {', '.join(field.choices)} is needed.")
    if field.kind == LINE and "\n" in text:
        raise RecipeError(f"{field.spoken} has {text.count(chr(10)) + 1} lines; one line is needed.")
    return text


def _list(field: FormField, value: object) -> str:
    items = value.splitlines() if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise RecipeError(f"{field.spoken} is {quoted_value(value, 60)}; a list of texts is needed.")
    texts = [" ".join(item.split("\n")).strip() for item in items]
    texts = [text for text in texts if text]
    if field.bullet == "A)":
        if len(texts) > 26:
            raise RecipeError(f"{field.spoken} has {len(texts)} items; there are 26 letters for them.")
        return "\n".join(f"{chr(ord('A') + place)}) {text}" for place, text in enumerate(texts))
    if field.bullet == "1.":
        return "\n".join(f"{place}. {text}" for place, text in enumerate(texts, 1))
    return "\n".join(f"{field.bullet} {text}" for text in texts)
