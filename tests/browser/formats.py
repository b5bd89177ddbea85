"""The panel "Formats" as a person works it, and the script that answers in place of a 65B."""

from __future__ import annotations

from pathlib import Path

from tests.unit.core.formats import nobel_prize

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
    if "Who won the Nobel Prize in Literature in 2020, given" in asked:
        return "Louise Glück"
    if "What is the most famous work of Louise Glück, given Text of" in asked:
        return "The Wild Iris, which won the Pulitzer Prize."
    return "I am a script."


def panel(page):
    return page.locator("#airoboros-longctx-formats")


def open_formats(page):
    if not panel(page).locator("#airoboros-longctx-format-choice").is_visible():
        panel(page).locator(".label-wrap").first.click()
    panel(page).locator("#airoboros-longctx-format-choice").wait_for()


def choose(page, title):
    """Choose the form with ``title``; its fields are there."""
    box = panel(page).locator("#airoboros-longctx-format-choice input")
    box.click()
    box.fill(title)
    page.get_by_role("option", name=title, exact=True).click()
    button(page, "ask").wait_for()
    page.wait_for_function(
        "title => document.querySelector('#airoboros-longctx-format-choice input').value === title", arg=title
    )


def fill(page, label, text):
    panel(page).get_by_label(label).fill(text)


def button(page, name):
    return page.locator(f"button#airoboros-longctx-format-{name}, #airoboros-longctx-format-{name} button")


def press(page, name):
    button(page, name).click()


def result(page):
    return page.locator("#airoboros-longctx-format-result")


def said(page):
    return page.locator("#airoboros-longctx-format-said")
