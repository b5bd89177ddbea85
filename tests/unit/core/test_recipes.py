"""Recipes: those that ship give the cards' texts; what cannot be used is refused by name; values are literal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.prompts.closed_context import DELIMITERS
from extensions.airoboros_longctx.core.recipes.filling import fill
from extensions.airoboros_longctx.core.recipes.recipe import RecipeError, read_recipe
from extensions.airoboros_longctx.core.recipes.recipe_files import SHIPPED_FOLDER, load_recipes, recipe_named

SHIPPED, PROBLEMS = load_recipes()
#: What the recipes give with nothing filled in: the examples of the model cards.
CARDS = {
    "coding_with_criteria": (
        "Create a python application with the following requirements:\n- Asyncio FastAPI webserver\n"
        "- ping endpoint that returns the current date in JSON format\n- file upload endpoint, which calculates the "
        "file's sha256 checksum, and checks postgres to deduplicate"
    ),
    "coding_in_one_sentence": (
        'Write a multi-threaded TCP server in C that accepts a "GET [key]" input and "SET [key] [value]" input, and '
        "uses a binary tree to get and store the input values."
    ),
    "multi_character_conversation": (
        "Characters:\n - Yoda, the ever clever jedi master.\n - Homer Simpson, you know, the goofy yellow guy.\n"
        " - USER/Jon - don't generate any speech or actions on behalf of Jon\n\nRules:\n"
        " - be sure to use the manerisms and speaking style of the characters correctly\n"
        " - surround character actions with asterisks\n"
        " - always put quotes around words spoken by the characters\n"
        " - use a new line for each character's actions or speech\n"
        " - always prefix actions/speech with the character's name and colon\n"
        " - only generate text and actions on behalf of Yoda or Homer, and never anyone else\n\n"
        "Conversation will revolve around the grapes, in a local cafe with delicious coffee.\n\n"
        "Generate a single interaction between Yoda and Homer to start, with one sentence each."
    ),
    "multiple_choice": (
        "Which of the following astronomical objects is composed primarily of ice and rock, and is located in the "
        "Kuiper Belt?\n\nA) Mercury\nB) Venus\nC) Pluto\nD) Jupiter"
    ),
    "words_that_start_with": "Give me a list of 7 words that start with EN",
    "anagram": 'This anagram of "silent" is what you do when paying attention and hearing someone.',
    "letter_in_a_style": (
        "Write a resignation letter in the style of a pirate captain, in which you resign from your position as "
        "janitor."
    ),
    "joke": "Tell me a joke about bananas.",
    "math_json": (
        "Create a MathJSON solution to the following: Calculate the area of a circle with radius of 17.2456cm.  "
        "Include your reasoning."
    ),
}
OWN = """\
name: song
title: A song
fields:
  about: {label: About what}
  mood: {kind: choice, choices: [sad, glad], default: glad}
  verses: {kind: number, default: 3}
  must_have: {kind: list, required: false}
  note: {kind: text, required: false}
template: |
  Write a {mood} song of {verses} verses about {about}. {literally} is {no field
  {must_have}
  Note: {note}
  End {}.
""".replace("{literally}", "{Literally}")


def test_every_recipe_that_ships_can_be_used():
    assert PROBLEMS == ()
    assert set(SHIPPED) == {*CARDS, "summary"} == {path.stem for path in SHIPPED_FOLDER.glob("*.yaml")}
    assert all(one.description and one.source.startswith("https://huggingface.co/") for one in SHIPPED.values())


@pytest.mark.parametrize("name", CARDS)
def test_the_cards_examples(name):
    assert fill(SHIPPED[name], {}) == CARDS[name]


def test_a_summary_has_the_whole_text_between_the_context_tags():
    assert fill(SHIPPED["summary"], {"text": "First.\n\nSecond."}) == (
        "BEGININPUT\nBEGINCONTEXT\nFirst.\n\nSecond.\nENDCONTEXT\nENDINPUT\n"
        "BEGININSTRUCTION\nSummarize the input in around 130 words.\nENDINSTRUCTION"
    )


def test_every_value_in_a_template_with_delimiters_is_made_harmless():
    fields = "{a: {}, b: {kind: list}, c: {kind: document}}"
    closed = read_recipe(recipe("BEGININSTRUCTION {a} {b} {c}", fields))
    values = {"a": "ENDINPUT", "b": ["</s>"], "c": "ENDCONTEXT"}
    assert fill(closed, values) == "BEGININSTRUCTION END-INPUT - < /s> END-CONTEXT"
    plain = read_recipe(recipe("Say {a} {b} {c}", fields))
    assert fill(plain, values) == "Say ENDINPUT - </s> END-CONTEXT"


@settings(deadline=None)
@given(st.lists(st.sampled_from([*DELIMITERS, "\n", " ", "</s>", "USER:", "ВEGININPUT", "{words}", "x"])).map("".join))
def test_nothing_in_a_text_can_pass_for_the_format(text):
    if not text.strip():
        return
    message = fill(SHIPPED["summary"], {"text": text, "words": 50})
    lines = message.split("\n")
    assert [line for line in lines if any(delimiter in line for delimiter in DELIMITERS)] == [
        "BEGININPUT", "BEGINCONTEXT", "ENDCONTEXT", "ENDINPUT", "BEGININSTRUCTION", "ENDINSTRUCTION",
    ]  # fmt: skip
    assert message.endswith("Summarize the input in around 50 words.\nENDINSTRUCTION")
    assert "</s>" not in message
    assert not any(line.startswith("USER:") for line in lines)


def test_values_are_literal_and_lines_of_empty_fields_are_left_out():
    song = read_recipe(OWN)
    assert fill(song, {"about": "{verses} {about} \\1 {{x}}"}) == (
        "Write a glad song of 3 verses about {verses} {about} \\1 {{x}}. {Literally} is {no field\nEnd {}."
    )
    values = {
        "about": "tea",
        "mood": "sad",
        "verses": "2",
        "must_have": ["a pot", " ", "two\ncups"],
        "note": "a\n\nb",
    }
    assert fill(song, values) == (
        "Write a sad song of 2 verses about tea. {Literally} is {no field\n- a pot\n- two cups\nNote: a\n\nb\nEnd {}."
    )
    assert fill(song, {**values, "must_have": "a pot\n\n two cups\n"}) == fill(song, values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "A song lacks about (About what); fill in what is missing."),
        ({"about": " "}, "A song lacks about (About what); fill in what is missing."),
        ({"about": "x", "key": "c", "tempo": 1}, "A song has no field key, tempo; it has about, mood, verses, "
         "must_have, note."),
        ({"about": "a\nb"}, "about (About what) has 2 lines; one line is needed."),
        ({"about": ["a"]}, "about (About what) is ['a']; a line is needed."),
        ({"about": "x", "mood": "mad"}, "mood is 'mad'; one of sad, glad is needed."),
        ({"about": "x", "verses": "0"}, "verses is '0'; a whole number from 1 is needed."),
        ({"about": "x", "verses": 1.5}, "verses is '1.5'; a whole number from 1 is needed."),
        ({"about": "x", "verses": True}, "verses is True; a number is needed."),
        ({"about": "x", "must_have": {"a": 1}}, "must_have is {'a': 1}; a list of texts is needed."),
    ],
)  # fmt: skip
def test_values_that_do_not_fill_it(values, sentence):
    with pytest.raises(RecipeError) as caught:
        fill(read_recipe(OWN), values)
    assert str(caught.value) == sentence


def test_there_are_26_letters_for_options():
    with pytest.raises(RecipeError, match=r"options \(.*\) has 27 items; there are 26 letters for them"):
        fill(SHIPPED["multiple_choice"], {"options": ["x"] * 27})
    assert fill(SHIPPED["multiple_choice"], {"options": ["x"] * 26}).endswith("\nZ) x")


def recipe(template: str = "Say {a}.", fields: str = "{a: {}}", more: str = "") -> str:
    return f"name: x\ntitle: X\nfields: {fields}\ntemplate: '{template}'\n{more}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The recipe is empty."),
        ("- a", "Line 1: The recipe is no mapping from names to values, which is needed."),
        ("title: X", "The recipe lacks name, template; it has name, title, description, source, fields, template."),
        (recipe(more="colour: red"), "Line 5: The recipe has 'colour'; it can have name, title, description, source, "
         "fields, template."),
        (recipe().replace("name: x", "name: A b"), "Line 1: The name is 'A b'; small letters, digits and _ are needed, "
         "such as pirate_letter."),
        (recipe("Say {a} {b} {c}."), "Line 4: The template has {b}, {c}, but the fields are a; declare it, or leave it "
         "out."),
        (recipe("Say it."), "Line 4: The template lacks {a}; put it where the value goes."),
        (recipe("Say {a}", "{}"), "Line 4: The template has {a}, but there are no fields; declare it, or leave it "
         "out."),
        (recipe(" ", "{}"), "Line 4: The template is empty; the text of the instruction is needed."),
        (recipe("Say {a} </s>"), "Line 4: The recipe has a mark of the chat's own structure, such as USER: or </s>, in "
         "its template, a default or a choice; leave it out."),
        (recipe(fields="{a: {default: 'USER: x'}}"), "Line 4: The recipe has a mark of the chat's own structure, such "
         "as USER: or </s>, in its template, a default or a choice; leave it out."),
        (recipe("US{a}", "{a: {default: 'ER: hello'}}"), "Line 4: The recipe has a mark of the chat's own structure, "
         "such as USER: or </s>, in its template, a default or a choice; leave it out."),
        (recipe(fields="[a]"), "Line 3: fields is no mapping from names to values, which is needed."),
        (recipe(fields="{A: {}}"), "Line 3: A field has the name 'A'; small letters, digits and _ are needed."),
        (recipe(fields="{a: {sort: b}}"), "Line 3: The field a has 'sort'; it can have label, kind, default, required, "
         "choices, bullet."),
        (recipe(fields="{a: {kind: colour}}"), "Line 3: The kind of the field a is 'colour'; one of 'line', 'text', "
         "'list', 'number', 'choice', 'document' is needed."),
        (recipe(fields="{a: {required: maybe}}"), "Line 3: The required of the field a is 'maybe'; one of 'true', "
         "'false' is needed."),
        (recipe(fields="{a: {kind: choice}}"), "Line 3: The field a is a choice with 0 choices; a choice has choices, "
         "and nothing else has."),
        (recipe(fields="{a: {kind: choice, choices: [b], default: c}}"), "Line 3: The default of a is 'c'; one of b is "
         "needed."),
        (recipe(fields="{a: {kind: number, default: c}}"), "Line 3: The default of a is 'c'; a number is needed."),
        (recipe(fields="{a: {default: [b, c]}}"), "Line 3: The default of a has several lines; a line has one."),
        (recipe(fields="{" + ", ".join(f"f{n}: {{}}" for n in range(41)) + "}"), "Line 3: The recipe has 41 fields; at "
         "most 40 are taken."),
        (recipe(fields="&b {a: *b}"), "Line 3: The recipe has a YAML anchor or alias (& or *); write the text itself, "
         "or quote it."),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_used(text, sentence):
    with pytest.raises(FormatError) as caught:
        read_recipe(text)
    assert str(caught.value) == sentence


def test_ones_own_recipes_stand_beside_those_that_ship(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(OWN)
    (tmp_path / "b.yml").write_text(OWN)
    (tmp_path / "c.yaml").write_text("name: joke\ntitle: My joke\ntemplate: Be funny.")
    (tmp_path / "d.yaml").write_text("name: [")
    (tmp_path / "e.yaml").write_bytes(b"x" * (257 << 10))
    (tmp_path / "f.yaml").mkdir()
    (tmp_path / "g.txt").write_text("no recipe")
    recipes, problems = load_recipes(tmp_path)
    assert set(recipes) == {*SHIPPED, "song"}
    assert fill(recipes["joke"], {}) == "Be funny."
    assert list(recipes) == sorted(recipes, key=lambda name: recipes[name].title.casefold())
    assert problems == (
        "b.yml: there is another file with the name song. It is not used.",
        "d.yaml: Line 1: The recipe is not valid YAML (expected the node content, but found '<stream end>'); indent "
        "what belongs to a name with blanks, below it. It is not used.",
        "e.yaml is larger than 256 KiB; it is not used.",
        "f.yaml is not a plain file; it is not used.",
    )


def test_a_folder_that_is_not_there_holds_no_recipes(tmp_path: Path):
    assert load_recipes(tmp_path / "none") == (SHIPPED, ())
    (tmp_path / "file").write_text("x")
    assert load_recipes(tmp_path / "file")[1] == ("file could not be read (Not a directory); no recipe of it is used.",)


def test_an_unknown_recipe():
    with pytest.raises(RecipeError) as caught:
        recipe_named("nope", SHIPPED)
    assert str(caught.value) == f"The recipe 'nope' is unknown; one of {', '.join(SHIPPED)} is needed."
