"""Finding recipes: those that ship, and the user's own, which go before them."""

from __future__ import annotations

from pathlib import Path

from ..foreign_text import UnreadableFileError, quoted, read_bytes
from ..formats.errors import FormatError
from .recipe import Recipe, RecipeError, read_recipe

SHIPPED_FOLDER = Path(__file__).parents[2] / "recipes"
MOST_RECIPES = 500
_FILE_BYTES = 256 << 10
_SUFFIXES = (".yaml", ".yml")


def load_recipes(
    users_folder: Path | None = None, shipped_folder: Path = SHIPPED_FOLDER
) -> tuple[dict[str, Recipe], tuple[str, ...]]:
    """Every recipe by name, in the order of the titles, and a sentence for every file that cannot be used.

    A user's recipe takes the place of one that ships under the same name. Folders that are not there hold none.
    """
    recipes, problems = _read_folder(shipped_folder)
    if users_folder is not None:
        own, own_problems = _read_folder(users_folder)
        recipes, problems = {**recipes, **own}, [*problems, *own_problems]
    ordered = sorted(recipes.values(), key=lambda recipe: (recipe.title.casefold(), recipe.name))
    return {recipe.name: recipe for recipe in ordered}, tuple(problems)


def save_recipe(text: str, users_folder: Path) -> Recipe:
    """Write the recipe in YAML into ``users_folder``, in the place of what had its name there, and return it.

    Raises FormatError where it is no recipe, or cannot be written.
    """
    recipe = read_recipe(text)
    path = users_folder / f"{recipe.name}.yaml"
    try:
        path = _file_of(recipe.name, users_folder) or path
        part = path.with_suffix(".part")
        users_folder.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise RecipeError(f"The recipe could not be written to {quoted(path, 120)} ({error.strerror}).") from error
    return recipe


def _file_of(name: str, folder: Path) -> Path | None:
    """The file of the recipe called ``name`` that is in use, whatever the file is called."""
    for path in _files(folder)[:MOST_RECIPES]:
        try:
            if _read_file(path).name == name:
                return path
        except (UnreadableFileError, FormatError):
            continue
    return None


def _files(folder: Path) -> list[Path]:
    """The recipes' files, in the order in which they are read. Raises OSError; a folder that is not there has none."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    except FileNotFoundError:
        return []


def recipe_named(name: str, recipes: dict[str, Recipe]) -> Recipe:
    """The recipe called ``name``; RecipeError names those there are."""
    try:
        return recipes[name]
    except KeyError:
        there = ", ".join(recipes)
        raise RecipeError(f"The recipe {quoted(name, 60)!r} is unknown; one of {there} is needed.") from None


def _read_folder(folder: Path) -> tuple[dict[str, Recipe], list[str]]:
    try:
        files = _files(folder)
    except OSError as error:
        return {}, [f"{quoted(folder.name, 60)} could not be read ({error.strerror}); no recipe of it is used."]
    recipes: dict[str, Recipe] = {}
    problems: list[str] = []
    for path in files[:MOST_RECIPES]:
        name = quoted(path.name, 60)
        try:
            recipe = _read_file(path)
        except UnreadableFileError as error:
            problems.append(f"{name} {error}; it is not used.")
        except FormatError as error:
            problems.append(f"{name}: {error} It is not used.")
        else:
            if recipe.name in recipes:
                problems.append(f"{name}: there is another file with the name {recipe.name}. It is not used.")
            else:
                recipes[recipe.name] = recipe
    if len(files) > MOST_RECIPES:
        problems.append(f"{quoted(folder.name, 60)}: only the first {MOST_RECIPES} recipes are used.")
    return recipes, problems


def _read_file(path: Path) -> Recipe:
    content, more = read_bytes(path, _FILE_BYTES)
    if more:
        raise UnreadableFileError(f"is larger than {_FILE_BYTES >> 10} KiB")
    return read_recipe(content.decode("utf-8-sig", "replace"))
