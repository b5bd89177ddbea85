"""A recipe of the user's own, made in the panel from the one that is chosen."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.core.recipes.recipe import read_recipe
from extensions.airoboros_longctx.format_service import FormList
from extensions.airoboros_longctx.ui.formats.own_recipes import OwnRecipes


@pytest.fixture
def drawn(tmp_path):
    """The part of the panel for a folder, and for whether recipes may be saved."""
    gradio = pytest.importorskip("gradio")

    def draw(folder=tmp_path / "recipes", may_save=True):
        with gradio.Blocks():
            return OwnRecipes(FormList(folder), may_save)

    return draw


def test_the_example_is_a_recipe(drawn):
    own = drawn()
    assert own.text.value == own.text_of(None) == own.text_of("Function call")
    assert read_recipe(own.text.value).name == "song"


def test_the_recipe_that_is_chosen_is_what_is_changed(drawn):
    own = drawn()
    written = own.text_of("Joke")
    assert read_recipe(written).title == "Joke"
    title, words = own.on_save(written.replace("title: Joke", "title: My <joke>"))
    assert title == "My <joke>"
    assert "Saved. My &lt;joke&gt; is among the forms now." in words
    assert own.text_of(title) != written
    assert "The one that ships with that name is back once the file in the folder above is deleted." in words


def test_a_recipe_with_more_fields_than_the_panel_shows_is_said(drawn):
    fields = "".join(f"  f{number}: {{}}\n" for number in range(13))
    places = " ".join(f"{{f{number}}}" for number in range(13))
    title, words = drawn().on_save(f"name: many\ntitle: Many\nfields:\n{fields}template: '{places}'\n")
    assert title == "Many"
    assert "It has 13 fields, and this panel shows 12: use the command line for it." in words
    assert "ships" not in words


def test_what_is_no_recipe_is_said(drawn):
    title, words = drawn().on_save("name: <b>")
    assert title is None
    assert 'role="alert"' in words
    assert "<b>" not in words


@pytest.mark.parametrize("options", [{"may_save": False}, {"folder": None}])
def test_where_recipes_cannot_be_saved_nothing_is_drawn(drawn, options):
    own = drawn(**options)
    assert (own.text, own.save) == (None, None)
