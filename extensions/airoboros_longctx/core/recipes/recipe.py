"""A recipe, and reading one from YAML: every field, every placeholder and every mark in it is checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..foreign_text import quoted
from ..formats.errors import FormatError
from ..formats.form_field import BULLETS, CHOICE, KINDS, LINE, NUMBER, FormField
from ..formats.yaml_data import Node, read_yaml
from ..prompts.closed_context import DELIMITERS
from ..prompts.look_alikes import defuse_text

MOST_FIELDS = 40
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,63})\}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KEYS = ("name", "title", "description", "source", "fields", "template")
_FIELD_KEYS = ("label", "kind", "default", "required", "choices", "bullet")
_WHAT = "The recipe"


class RecipeError(FormatError):
    """A recipe that cannot be used, or values that do not fill it."""


@dataclass(frozen=True)
class Recipe:
    """``template`` is the message, with the name of a field in braces where its value goes. ``source`` is the card."""

    name: str
    title: str
    description: str
    source: str
    fields: tuple[FormField, ...]
    template: str
    #: The YAML that it was read from.
    written: str = field(default="", compare=False, repr=False)

    @property
    def has_delimiters(self) -> bool:
        """True where values stand inside the closed-context format, so that all of them have to be made harmless."""
        return any(delimiter in self.template for delimiter in DELIMITERS)


def read_recipe(text: str) -> Recipe:
    """The recipe in YAML. Raises FormatError, with the line where one is to blame."""
    stated = _mapping(read_yaml(text, _WHAT), _WHAT, _KEYS)
    missing = [key for key in ("name", "title", "template") if key not in stated]
    if missing:
        raise RecipeError(f"{_WHAT} lacks {', '.join(missing)}; it has {', '.join(_KEYS)}.")
    texts = {key: _text(node, key) for key, node in stated.items() if key != "fields"}
    name, template = texts["name"].strip(), texts["template"].strip("\n")
    if not _NAME.fullmatch(name):
        needed = "small letters, digits and _ are needed, such as pirate_letter"
        raise RecipeError(f"The name is {quoted(name, 60)!r}; {needed}.", stated["name"].line)
    fields = _mapping(stated["fields"], "fields", None) if "fields" in stated else {}
    if len(fields) > MOST_FIELDS:
        raise RecipeError(f"{_WHAT} has {len(fields)} fields; at most {MOST_FIELDS} are taken.", stated["fields"].line)
    recipe = Recipe(
        name,
        " ".join(texts["title"].split()) or name,
        " ".join(texts.get("description", "").split()),
        " ".join(texts.get("source", "").split()),
        tuple(_field(key, node) for key, node in fields.items()),
        template,
        text,
    )
    _check_template(recipe, stated["template"].line)
    return recipe


def _check_template(recipe: Recipe, line: int | None) -> None:
    if not recipe.template.strip():
        raise RecipeError("The template is empty; the text of the instruction is needed.", line)
    placed = list(dict.fromkeys(PLACEHOLDER.findall(recipe.template)))
    names = [field.name for field in recipe.fields]
    if unknown := [name for name in placed if name not in names]:
        known = f"the fields are {', '.join(names)}" if names else "there are no fields"
        raise RecipeError(f"The template has {_braced(unknown)}, but {known}; declare it, or leave it out.", line)
    if unused := [name for name in names if name not in placed]:
        raise RecipeError(f"The template lacks {_braced(unused)}; put it where the value goes.", line)
    defaults = {field.name: field.default for field in recipe.fields}
    filled = PLACEHOLDER.sub(lambda found: defaults[found[1]], recipe.template)
    given = [recipe.template, filled, *(text for field in recipe.fields for text in (field.default, *field.choices))]
    if any(defuse_text(re.sub("|".join(DELIMITERS), "", text))[1] for text in given):
        marks = "a mark of the chat's own structure, such as USER: or </s>, in its template, a default or a choice"
        raise RecipeError(f"{_WHAT} has {marks}; leave it out.", line)


def _braced(names: list[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def _field(name: str, node: Node) -> FormField:
    if not _NAME.fullmatch(name):
        needed = "small letters, digits and _ are needed"
        raise RecipeError(f"A field has the name {quoted(name, 60)!r}; {needed}.", node.line)
    stated = _mapping(node, f"The field {name}", _FIELD_KEYS)
    kind = _one_of(stated, "kind", KINDS, name)
    choices = _texts(stated["choices"], f"The choices of {name}") if "choices" in stated else ()
    if (kind == CHOICE) != bool(choices):
        needed = "a choice has choices, and nothing else has"
        raise RecipeError(f"The field {name} is a {kind} with {len(choices)} choices; {needed}.", node.line)
    default = stated.get("default", Node(""))
    lines = _texts(default, f"The default of {name}") if isinstance(default.value, list) else None
    field = FormField(
        name,
        " ".join(_text(stated.get("label", Node(name)), f"label of {name}").split()),
        kind,
        "\n".join(lines) if lines is not None else _text(default, f"default of {name}").strip("\n"),
        _one_of(stated, "required", ("true", "false"), name) == "true",
        choices,
        _one_of(stated, "bullet", BULLETS, name),
    )
    _check_default(field, default.line)
    return field


def _check_default(field: FormField, line: int | None) -> None:
    default = field.default
    if default and field.kind == CHOICE and default not in field.choices:
        needed = f"one of {', '.join(field.choices)} is needed"
        raise RecipeError(f"The default of {field.name} is {quoted(default, 60)!r}; {needed}.", line)
    if default and field.kind == NUMBER and not re.fullmatch("[0-9]{1,9}", default):
        raise RecipeError(f"The default of {field.name} is {quoted(default, 60)!r}; a number is needed.", line)
    if "\n" in default and field.kind in (LINE, NUMBER, CHOICE):
        raise RecipeError(f"The default of {field.name} has several lines; a {field.kind} has one.", line)


def _one_of(stated: dict[str, Node], key: str, values: tuple[str, ...], name: str) -> str:
    """What ``stated`` says for ``key``, the first of ``values`` where it says nothing."""
    if key not in stated:
        return values[0]
    value = _text(stated[key], f"{key} of {name}")
    if value not in values:
        found = f"The {key} of the field {name} is {quoted(value, 60)!r}"
        raise RecipeError(f"{found}; one of {', '.join(map(repr, values))} is needed.", stated[key].line)
    return value


def _mapping(node: Node, what: str, keys: tuple[str, ...] | None) -> dict[str, Node]:
    if not isinstance(node.value, dict):
        raise RecipeError(f"{what} is no mapping from names to values, which is needed.", node.line)
    for key, value in node.value.items():
        if keys is not None and key not in keys:
            raise RecipeError(f"{what} has {quoted(key, 60)!r}; it can have {', '.join(keys)}.", value.line)
    return node.value


def _texts(node: Node, what: str) -> tuple[str, ...]:
    if isinstance(node.value, list):
        return tuple(_text(one, what) for one in node.value)
    raise RecipeError(f"{what} is no list, which is needed.", node.line)


def _text(node: Node, what: str) -> str:
    if isinstance(node.value, str):
        return node.value
    raise RecipeError(f"The {what} is a list or a mapping; a text is needed.", node.line)
