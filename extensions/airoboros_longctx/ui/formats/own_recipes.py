"""A recipe of the user's own, made from the one that is chosen, in the panel."""

from __future__ import annotations

import html
from typing import Any

from ...core.recipes.recipe import Recipe
from ...format_service import FormList
from ..documents.messages import said_html, sentence_of
from .slots import MOST_SLOTS

_EXAMPLE = """\
name: song
title: A song
description: What is shown below the title.
fields:
  about: {label: About what}
  mood: {kind: choice, choices: [sad, glad], default: glad}
template: |
  Write a {mood} song about {about}.
"""


class OwnRecipes:
    """The part of the panel; ``text`` and ``save`` are there where ``may_save``."""

    def __init__(self, forms: FormList, may_save: bool) -> None:
        import gradio as gr

        self._forms = forms
        self.text: Any = None
        self.save: Any = None
        if not may_save or forms.recipes_folder is None:
            return
        with gr.Accordion("A recipe of your own", open=False, elem_id="airoboros-longctx-own-recipe"):
            folder = html.escape(str(forms.recipes_folder))
            gr.HTML(
                '<p class="airoboros-longctx-note">Choose a recipe above and change it here: a name in braces in the '
                "template stands for the field of that name. With a new name it is a new recipe. Recipes are files in "
                f"<code>{folder}</code>; those of others can be put there too. docs/formats.md says what a recipe can "
                "have.</p>"
            )
            self.text = gr.Textbox(
                _EXAMPLE, label="Recipe (YAML)", lines=12, max_lines=30, elem_id="airoboros-longctx-own-recipe-text"
            )
            self.save = gr.Button("Save the recipe", elem_id="airoboros-longctx-own-recipe-save")

    def text_of(self, title: str | None) -> str:
        """The YAML of the recipe that is chosen; an example where none is."""
        form = self._forms.known.get(title or "")
        return form.asks.written if form is not None and isinstance(form.asks, Recipe) else _EXAMPLE

    def on_save(self, text: str) -> tuple[str | None, str]:
        """The title of the recipe that was saved (None: it was not), and words."""
        try:
            title = self._forms.save(text)
        except Exception as error:
            return None, said_html(sentence_of(error, "The recipe could not be saved"), True)
        words = f"Saved. {title} is among the forms now."
        if self._forms.stands_for_one_that_ships(title):
            words += " The one that ships with that name is back once the file in the folder above is deleted."
        form = self._forms.known[title]
        if len(form.fields) > MOST_SLOTS:
            words += (
                f" It has {len(form.fields)} fields, and this panel shows {MOST_SLOTS}: use the command line for it."
            )
        return title, said_html(words)
