"""The use case of the other formats: what can be asked, the message for it, and what the reply says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .core.foreign_text import quoted
from .core.formats import Format, formats
from .core.formats.errors import FormatError
from .core.formats.form_field import NUMBER, FormField
from .core.recipes.filling import fill
from .core.recipes.recipe import Recipe
from .core.recipes.recipe_files import load_recipes, save_recipe


@dataclass(frozen=True)
class Form:
    """Something that can be asked: a format, whose reply is read, or a recipe, whose reply is text."""

    name: str
    title: str
    description: str
    source: str
    fields: tuple[FormField, ...]
    asks: Format | Recipe

    @property
    def is_recipe(self) -> bool:
        return isinstance(self.asks, Recipe)

    def request(self, values: Mapping[str, str]) -> Any:
        """The format's request from what was filled in. Raises FormatError."""
        assert not isinstance(self.asks, Recipe)
        data: dict[str, Any] = {}
        for field in self.fields:
            value = values.get(field.name, field.default)
            if value.strip():
                data[field.name] = _number(field, value) if field.kind == NUMBER else value
            elif field.required:
                raise FormatError(f"{field.label} is empty; fill it in.")
        return self.asks.request_from(data)

    def message(self, values: Mapping[str, str]) -> str:
        """What stands between USER: and ASSISTANT:. Raises FormatError that names what is missing or wrong."""
        return fill(self.asks, values) if isinstance(self.asks, Recipe) else self.asks.render(self.request(values))


class FormList:
    """The forms that there are, by title; read again for a page that is opened, since recipes are files."""

    def __init__(self, recipes_folder: Path | None) -> None:
        self.recipes_folder = recipes_folder
        self.known: Mapping[str, Form] = {}
        self.problems: tuple[str, ...] = ()
        self.read()

    def read(self) -> None:
        self.known, self.problems = forms(self.recipes_folder)

    def stands_for_one_that_ships(self, title: str) -> bool:
        """True for a recipe of the user's own with the name of one that ships, which is not among the forms then."""
        form = self.known[title]
        shipped = load_recipes()[0].get(form.name)
        return form.is_recipe and shipped is not None and shipped != form.asks

    def save(self, recipe: str) -> str:
        """Keep a recipe of the user's own, in YAML, and return its title among the forms. Raises FormatError."""
        if self.recipes_folder is None:
            raise FormatError("There is no folder for recipes of your own.")
        name = save_recipe(recipe, self.recipes_folder).name
        self.read()
        return next(title for title, form in self.known.items() if form.is_recipe and form.name == name)


def forms(recipes_folder: Path | None) -> tuple[dict[str, Form], tuple[str, ...]]:
    """Every form by its title, formats first; and a sentence for every recipe that cannot be used."""
    known = [Form(one.NAME, one.TITLE, one.DESCRIPTION, one.SOURCE, one.FIELDS, one) for one in formats().values()]
    recipes, problems = load_recipes(recipes_folder)
    known += [Form(one.name, one.title, one.description, one.source, one.fields, one) for one in recipes.values()]
    found: dict[str, Form] = {}
    for form in known:
        found[f"{form.title} ({form.name})" if form.title in found else form.title] = form
    return found, problems


def _number(field: FormField, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise FormatError(f"{field.spoken} is {quoted(value, 60)!r}; a whole number is needed.") from None
