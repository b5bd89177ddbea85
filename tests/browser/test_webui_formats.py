"""The panel "Formats" on a real webui's page: over a script with the cards' own replies, and with the shipped model."""

from __future__ import annotations

import pytest

from tests.browser.chromium import chromium_page
from tests.browser.document_list import titles
from tests.browser.formats import (
    STUB_TOOLS,
    TOURNAMENT,
    ask_for_plan,
    button,
    choose,
    fill,
    open_formats,
    panel,
    picture_of_panel,
    press,
    result,
    said,
    save_a_recipe,
    script,
    summarise_and_stop,
    what_was_filled_in_stays,
)
from tests.browser.test_webui_documents import LATER, add, open_page, send, settled
from tests.browser.test_workbench_server import picture
from tests.host.scripted_host import scripted_webui
from tests.real_hosts import every_host_is_deep
from tests.unit.core.formats import nobel_prize

__all__ = ["scripted_webui"]
pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]
SETTINGS = "mode: instruct\nmax_new_tokens: 640\nairoboros_longctx-plan_step_seconds: 1\n"


def test_the_cards_examples_and_a_plan_for_every_trouble(newest, host, scripted_webui):
    with scripted_webui(script, settings=SETTINGS, packages=(STUB_TOOLS,)) as webui, chromium_page(1280, 1400) as page:
        open_page(page, webui, host)
        send(page, "Who are you?")
        settled(page)
        add(page, "Harbor", "source: kite", "The color of the harbor is teal.")
        chat = page.locator("#chat").inner_text()
        open_formats(page)

        choose(page, "Function call")
        press(page, "ask")
        result(page).locator("table td", has_text="count_occurrences").wait_for()
        cells = result(page).locator("table td").all_inner_texts()
        assert cells == ["file_analytics", "count_occurrences", "Python"]

        choose(page, "Ranked reasoning")
        fill(page, "Question", TOURNAMENT)
        press(page, "ask")
        answer = result(page).locator(".airoboros-longctx-answer")
        answer.wait_for()
        assert answer.inner_text() == "There were 10 players in the tournament."
        picture(page, "webui-formats-ranked")

        choose(page, "Plan with tools (reWOO)")
        tools = panel(page).get_by_label("Tools, one per line")
        every = tools.input_value()
        tools.fill("\n".join(line for line in every.splitlines() if not line.startswith(("Broken", "Hanging"))))
        ask_for_plan(page, nobel_prize.QUESTION)
        press(page, "run")
        answer.wait_for()
        assert answer.inner_text() == "The Wild Iris, which won the Pulitzer Prize."
        assert result(page).locator("li.done").count() == 6
        assert not button(page, "retry").is_visible()
        picture_of_panel(page, "webui-formats")
        page.evaluate("document.body.classList.add('dark')")
        picture_of_panel(page, "webui-formats-dark")
        page.evaluate("document.body.classList.remove('dark')")

        tools.fill(every)
        ask_for_plan(page, "Fail, please.")
        press(page, "run")
        result(page).locator("li.failed").wait_for()
        button(page, "retry").wait_for()
        assert "Broken failed: OSError: no route to harbor" in result(page).locator("li.failed").inner_text()
        picture(page, "webui-formats-failed")

        ask_for_plan(page, "Hang, please.")
        press(page, "run")
        result(page).locator("li.failed").get_by_text("1 second").wait_for()

        fill(page, "Question", "Look at the stars.")
        press(page, "ask")
        said(page).get_by_text("Telescope").wait_for()
        assert not button(page, "run").is_visible()

        assert page.locator("#chat").inner_text() == chat
        assert titles(page) == ["Harbor"]
        assert not [prompt for prompt in webui.scripted.prompts if "The color of the harbor" in prompt]
        press(page, "read")
        result(page).locator("pre", has_text="I am a script.").wait_for()
        assert said(page).get_by_role("alert").is_visible()

        choose(page, "Joke")
        press(page, "put")
        said(page).get_by_text("The message stands in the chat's field").wait_for()
        box = page.locator("#chat-input textarea, #main textarea").first
        message = box.input_value()
        assert message.startswith("Tell me")
        box.press("Enter")
        page.wait_for_timeout(3000)
        assert message in webui.scripted.prompts[-1]


def test_a_long_text_in_pieces_and_a_recipe_of_ones_own(newest, host, scripted_webui):
    with scripted_webui(script, settings=SETTINGS) as webui, chromium_page(1280, 1400) as page:
        open_page(page, webui, host)
        open_formats(page)
        summarise_and_stop(page)
        picture(page, "webui-formats-summary")
        what_was_filled_in_stays(page)
        save_a_recipe(page)
        picture(page, "webui-formats-recipe")
        assert "Place" not in page.locator("#chat").inner_text()


@pytest.mark.thorough
def test_two_people_at_once(newest, host, scripted_webui):
    with (
        scripted_webui(script, settings=SETTINGS, packages=(STUB_TOOLS,), arguments=["--multi-user"]) as webui,
        chromium_page(1280, 1400) as page,
    ):
        open_page(page, webui, host)
        other = open_page(page.context.browser.new_page(viewport={"width": 1280, "height": 1400}), webui, host)
        open_formats(page)
        open_formats(other)
        choose(page, "Plan with tools (reWOO)")
        ask_for_plan(page, "Fail, please.")
        choose(other, "Plan with tools (reWOO)")
        assert not button(other, "run").is_visible()
        assert page.locator("#airoboros-longctx-own-recipe").count() == 0
        ask_for_plan(other, nobel_prize.QUESTION)
        press(page, "run")
        press(other, "run")
        result(page).locator("li.failed").wait_for()
        result(other).locator(".airoboros-longctx-answer").wait_for()
        assert result(page).locator("li").count() == 3
        assert result(other).locator("li.done").count() == 6


def test_the_shipped_model_is_asked_outside_the_chat(start, models, host):
    if (host.webui / "modules" / "llama_cpp_server.py").is_file() and not every_host_is_deep():
        pytest.skip("over a script in this webui; with its model too where TEXTGEN_DEEP=all")
    arguments = ["--model", models.scaled.name, "--loader", "Transformers"]
    settings = "mode: instruct\nmax_new_tokens: 200\n"
    server = start((models.scaled,), arguments=arguments, settings=settings)
    with chromium_page(1280, 1400) as page:
        open_page(page, server, host)
        send(page, "What is the color of the harbor?")
        settled(page)
        chat = page.locator("#chat").inner_text()
        open_formats(page)
        choose(page, "Function call")
        press(page, "show")
        result(page).get_by_text("Available functions:").first.wait_for()
        picture(page, f"{host.name}-formats-message")
        choose(page, "Multiple choice")
        picture(page, f"{host.name}-formats-choice")
        choose(page, "Ranked reasoning")
        fill(page, "Question", TOURNAMENT)
        press(page, "ask")
        said(page).get_by_role("alert").wait_for(timeout=LATER)
        assert result(page).locator("pre").inner_text().strip()
        picture(page, f"{host.name}-formats-asked")
        press(page, "ask")
        button(page, "stop").wait_for()
        result(page).locator("pre").wait_for()
        press(page, "stop")
        said(page).get_by_text("Stopped.").wait_for()
        press(page, "put")
        said(page).get_by_text("The message stands in the chat's field").wait_for()
        assert TOURNAMENT in page.locator("#chat-input textarea, #main textarea").first.input_value()
        assert page.locator("#chat").inner_text() == chat
        what_was_filled_in_stays(page)
        save_a_recipe(page)
        picture_of_panel(page, f"{host.name}-formats-recipe")
