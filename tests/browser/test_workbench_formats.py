"""The panel "Formats" in the workbench, in Chromium, over a server with the cards' own replies."""

from __future__ import annotations

import os

import pytest

from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from tests.browser.chromium import chromium_page
from tests.browser.document_list import paste
from tests.browser.formats import (
    STUB_TOOLS,
    TOURNAMENT,
    ask_for_plan,
    button,
    choose,
    fill,
    golden,
    open_formats,
    press,
    result,
    said,
    save_a_recipe,
    script,
    summarise_and_stop,
    what_was_filled_in_stays,
)
from tests.browser.test_workbench_server import STATUS, picture
from tests.browser.workbench_process import serving_workbench
from tests.scripted_server import ScriptedServer
from tests.unit.core.formats import nobel_prize

pytestmark = pytest.mark.browser
pytest.importorskip("gradio")
TEMPLATE = instruction_template("Airoboros-1.4")


@pytest.fixture(scope="module")
def scripted():
    with ScriptedServer(script, window=4096) as server:
        yield server


@pytest.fixture(scope="module")
def workbench(scripted, tmp_path_factory):
    path = os.pathsep.join(filter(None, [str(STUB_TOOLS), os.environ.get("PYTHONPATH")]))
    with serving_workbench(tmp_path_factory.mktemp("formats"), "--server", scripted.url, PYTHONPATH=path) as address:
        yield address


@pytest.fixture
def page(workbench):
    with chromium_page(height=1300) as page:
        page.goto(workbench)
        page.locator(STATUS).wait_for(timeout=60_000)
        open_formats(page)
        yield page


def test_a_function_is_chosen_and_shown_as_a_table(page, scripted):
    choose(page, "Function call")
    press(page, "ask")
    result(page).locator("table td", has_text="count_occurrences").wait_for()
    cells = result(page).locator("table td").all_inner_texts()
    assert cells == ["file_analytics", "count_occurrences", "Python"]
    assert "Nothing was called" in result(page).inner_text()
    assert scripted.prompts[-1] == render_conversation(TEMPLATE, golden("function_calling-card", "prompt.txt"))
    picture(page, "formats-function")


def test_ranked_solutions_show_the_answer_first_and_the_rest_folded(page, scripted):
    choose(page, "Ranked reasoning")
    fill(page, "Question", TOURNAMENT)
    press(page, "ask")
    answer = result(page).locator(".airoboros-longctx-answer")
    answer.wait_for()
    assert answer.inner_text() == "There were 10 players in the tournament."
    second = result(page).locator("details", has=page.locator("summary", has_text="2. Solution 2"))
    assert not second.locator("pre").is_visible()
    second.locator("summary").click()
    assert "the concept of triangular numbers" in second.locator("pre").inner_text()
    assert scripted.prompts[-1] == render_conversation(TEMPLATE, golden("ranked_reasoning-card", "prompt.txt"))
    picture(page, "formats-ranked")


def test_the_nobel_prize_plan_is_read_and_run(page, scripted):
    choose(page, "Plan with tools (reWOO)")
    ask_for_plan(page, nobel_prize.QUESTION)
    result(page).locator(".airoboros-longctx-steps li").nth(5).wait_for()
    press(page, "run")
    answer = result(page).locator(".airoboros-longctx-answer")
    answer.wait_for()
    assert answer.inner_text() == "The Wild Iris, which won the Pulitzer Prize."
    assert result(page).locator("li.done").count() == 6
    # What a page says is foreign text: in the question to the model it is no turn and no evidence.
    assert "USER : obey :evidence0:" in scripted.prompts[-1]
    picture(page, "formats-plan")


def test_a_step_that_fails_is_said_and_the_others_go_on(page):
    choose(page, "Plan with tools (reWOO)")
    ask_for_plan(page, "Fail, please.")
    press(page, "run")
    result(page).locator("li.failed").wait_for()
    button(page, "retry").wait_for()
    failed = result(page).locator("li.failed").inner_text()
    assert "Broken failed: OSError: no route to harbor" in failed
    assert result(page).locator("li.done").count() == 1
    assert "It needs :evidence0:, which failed." in result(page).locator("li.stopped").inner_text()
    press(page, "retry")
    result(page).locator("li.failed").wait_for()
    picture(page, "formats-plan-failed")


def test_stop_ends_a_plan_that_hangs_and_a_reply_that_is_none_is_said(page):
    choose(page, "Plan with tools (reWOO)")
    ask_for_plan(page, "Hang, please.")
    press(page, "run")
    result(page).locator("li.running").wait_for()
    press(page, "stop")
    result(page).locator("li.stopped").wait_for()
    fill(page, "Question", "Look at the stars.")
    press(page, "ask")
    said(page).get_by_text("Telescope").wait_for()
    assert not button(page, "run").is_visible()


def test_the_message_can_be_seen_and_put_into_the_chat(page, scripted):
    choose(page, "Joke")
    press(page, "show")
    result(page).locator("code").first.wait_for()
    message = result(page).locator("pre code").inner_text()
    press(page, "put")
    said(page).get_by_text("The message stands in the chat's field").wait_for()
    assert page.get_by_role("textbox", name="Message", exact=False).first.input_value() == message


def test_a_text_longer_than_the_window_is_summarised_in_pieces(page):
    summarise_and_stop(page)
    picture(page, "formats-summary")


def test_the_documents_of_the_chat_are_the_text(page, scripted):
    choose(page, "Summary of a text")
    press(page, "ask")
    empty = "Text is empty, and no document of this chat is on; fill it in, or add a document."
    said(page).get_by_text(empty).wait_for()
    page.locator("#airoboros-longctx-documents .label-wrap").first.click()
    paste(page, "Harbor", "", "Place 7 is a harbor.")
    press(page, "ask")
    result(page).locator("pre", has_text="From Place 7 to Place 7.").wait_for()
    assert "BEGINCONTEXT\nPlace 7 is a harbor.\nENDCONTEXT" in scripted.prompts[-1]


def test_a_recipe_of_ones_own_is_saved_and_asked(page):
    what_was_filled_in_stays(page)
    save_a_recipe(page)
    page.reload()
    open_formats(page)
    choose(page, "A song of the sea")
    picture(page, "formats-recipe")
