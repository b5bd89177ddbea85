"""The panel "Formats" as a person works it, and the script that answers in place of a 65B."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

from extensions.airoboros_longctx.format_service import forms
from tests.unit.core.formats import nobel_prize

FORMS = forms(None)[0]
GOLDEN = Path(__file__).parents[1] / "golden" / "formats"
STUB_TOOLS = Path(__file__).parents[1] / "stub_tools"
TOURNAMENT = (
    "A group of people decide to play a round-robin tournament where every player plays every other player exactly "
    "once. If a total of 45 games were played, how many players participated in the tournament?"
)
FAILING = """\
Plan: Break.
:evidence0: = Broken[harbor]
Plan: Calculate meanwhile.
:evidence1: = Calculator[6 * 7]
Plan: Use both.
:evidence2: = KnowledgeModel[What of :evidence0: and :evidence1:?]
Answer: :evidence2:"""
HANGING = "Plan: Wait.\n:evidence0: = Hanging[for ever]\nAnswer: :evidence0:"
UNKNOWN = "Plan: Look.\n:evidence0: = Telescope[stars]\nAnswer: :evidence0:"


def golden(case: str, file: str) -> str:
    return (GOLDEN / case / file).read_text(encoding="utf-8")


def script(prompt):
    """The cards' own replies to the cards' own examples, and a plan for every trouble."""
    asked = prompt.rpartition("USER:")[2]
    if "Available functions:" in asked:
        return golden("function_calling-card", "reply.txt")
    if "rank them according to mathematical logic" in asked:
        return golden("ranked_reasoning-card", "reply.txt")
    if "Please construct a systematic plan" in asked:
        question = asked.rpartition("Question: ")[2].split("\n")[0].removesuffix(" ASSISTANT: ").strip()
        plans = {"Fail, please.": FAILING, "Hang, please.": HANGING, "Look at the stars.": UNKNOWN}
        return next((plan for asks, plan in plans.items() if question.startswith(asks)), nobel_prize.reply())
    if "Summarize the input in around" in asked:
        return summary_of(asked)
    if "Who won the Nobel Prize in Literature in 2020, given" in asked:
        return "Louise Glück"
    if "What is the most famous work of Louise Glück, given Text of" in asked:
        return "The Wild Iris, which won the Pulitzer Prize."
    return "I am a script."


#: Of these the story is made; each is a paragraph.
PLACES = [f"Place {number}" for number in range(1, 241)]
STORY = "\n\n".join(f"{place} is a harbor with a tower, and people there speak of the tide." for place in PLACES)
#: Set, the summary's second piece waits for the test.
hold_summary = threading.Event()
go_on_with_summary = threading.Event()


def summary_of(asked):
    """Names the first and the last place that was read."""
    places = re.findall(r"Place [0-9]+", asked)
    if hold_summary.is_set() and "Summary of what came before" in asked:
        return held(f"From {places[0]} to {places[-1]}.")
    return f"From {places[0]} to {places[-1]}."


def held(text):
    """A reply that grows until the test lets it end."""
    while not go_on_with_summary.wait(0.1):
        yield "on and "
    yield text


def panel(page):
    return page.locator("#airoboros-longctx-formats")


def open_formats(page):
    if not panel(page).locator("#airoboros-longctx-format-choice").is_visible():
        panel(page).locator(".label-wrap").first.click()
    panel(page).locator("#airoboros-longctx-format-choice").wait_for()


def choose(page, title):
    """Choose the form with ``title``; its fields are there."""
    box = panel(page).locator("#airoboros-longctx-format-choice input")
    box.blur()  # Gradio 3 opens the list when the field is entered
    box.click()
    box.fill(title)
    options = page.locator("[role=option], ul.options li")  # each with a tick in front, which is hidden
    options.filter(has_text=re.compile(rf"^\W*{re.escape(title)}\s*$")).click()
    button(page, "ask").wait_for()
    if title in FORMS:  # one of one's own has no description
        panel(page).locator("#airoboros-longctx-format-about").get_by_text(FORMS[title].description).wait_for()
    page.wait_for_function(
        "title => document.querySelector('#airoboros-longctx-format-choice input').value === title", arg=title
    )
    page.wait_for_timeout(400)  # the fields of one answer are drawn one after the other


def fill(page, label, text):
    panel(page).get_by_label(label).and_(page.locator("textarea:visible, input:visible")).fill(text)


def button(page, name):
    return page.locator(f"button#airoboros-longctx-format-{name}, #airoboros-longctx-format-{name} button")


def press(page, name):
    button(page, name).click()


def result(page):
    return page.locator("#airoboros-longctx-format-result")


def said(page):
    return page.locator("#airoboros-longctx-format-said")


def ask_for_plan(page, question):
    """Ask for a plan in the form that is chosen, and wait until it can be run."""
    fill(page, "Question", question)
    press(page, "ask")
    read = result(page).locator(".airoboros-longctx-steps li:not([class])")  # a run's steps have a state
    read.or_(said(page).get_by_role("alert")).first.wait_for()
    assert read.count(), said(page).inner_text()
    button(page, "run").wait_for()
    page.wait_for_timeout(500)  # Gradio draws the last of an event once more when it ends, over what came between


OWN_RECIPE = """\
name: sea_song
title: A song of the sea
fields:
  about: {label: About what}
template: |
  Write a song about {about}.
"""


def what_was_filled_in_stays(page):
    """In each form, while others are looked at; what was emptied stays empty, and is asked for."""
    choose(page, "Joke")
    fill(page, "About", "")
    choose(page, "Multiple choice")
    choose(page, "Joke")
    assert panel(page).get_by_label("About").and_(page.locator("textarea:visible, input:visible")).input_value() == ""
    press(page, "show")
    said(page).get_by_text("Joke lacks topic (About); fill in what is missing.").wait_for()
    fill(page, "About", "herring")


def summarise_and_stop(page):
    """The summary of a text that is longer than the window: stopped in its second piece, and gone on with."""
    choose(page, "Summary of a text")
    fill(page, "Text", STORY)
    go_on_with_summary.clear()
    hold_summary.set()
    try:
        press(page, "ask")
        said(page).get_by_text(re.compile("^Piece 2 of ")).or_(said(page).get_by_role("alert")).wait_for()
        progress = said(page).inner_text()
        assert re.search(r"^Piece 2 of [2-9]\.$", progress, re.MULTILINE), progress
        press(page, "stop")
        said(page).get_by_text(re.compile(r"^Stopped\. The summary has 1 of [2-9] pieces\.$")).wait_for()
    finally:
        hold_summary.clear()
        go_on_with_summary.set()
    assert re.fullmatch(r"From Place 1 to Place [0-9]+\.", result(page).locator("pre").inner_text())
    press(page, "go-on")
    said(page).get_by_text("The whole text is in the summary.").wait_for()
    assert result(page).locator("pre").inner_text() == "From Place 1 to Place 240."
    assert not button(page, "go-on").is_visible()


def save_a_recipe(page):
    """A recipe that cannot be used is refused with its line; one that can is there at once, and asked."""
    own = page.locator("#airoboros-longctx-own-recipe")
    own.locator(".label-wrap").first.evaluate("label => label.click()")
    text = own.get_by_label("Recipe (YAML)")
    text.fill(OWN_RECIPE.replace("{about}", "{topic}"))
    own.get_by_role("button", name="Save the recipe").click()
    said(page).get_by_text("The template has {topic}, but the fields are about").wait_for()
    text.fill(OWN_RECIPE)
    own.get_by_role("button", name="Save the recipe").click()
    said(page).get_by_text("Saved. A song of the sea is among the forms now.").wait_for()
    fill(page, "About what", "herring")
    press(page, "show")
    result(page).locator("code", has_text="Write a song about herring.").wait_for()


def picture_of_panel(page, name):
    """A picture of the panel alone, where LONGCTX_PICTURES names a folder for it."""
    if folder := os.environ.get("LONGCTX_PICTURES"):
        panel(page).screenshot(path=Path(folder) / f"{name}.png")
