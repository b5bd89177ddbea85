"""The workbench over an OpenAI-compatible server, in Chromium, with scripted replies in place of a 65B."""

from __future__ import annotations

import itertools
import os
import re
import threading
from pathlib import Path

import pytest

from extensions.airoboros_longctx.core.prompts.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.prompts.instruction_templates import instruction_template, render_conversation
from tests.browser.chromium import chromium_page
from tests.browser.document_list import LIST, exact_prompt, paste
from tests.browser.workbench_process import serving_workbench
from tests.host.running_host import free_port
from tests.scripted_server import ScriptedServer

pytestmark = pytest.mark.browser
pytest.importorskip("gradio")
STATUS = "#airoboros-longctx-status-line [role=status]"
BUDGET = ".airoboros-longctx-budget"
TEMPLATE = instruction_template("Airoboros-1.4")
KEY = "sk-secret-4417"
BREAKS = "Break off, please."
_go_on = threading.Event()


def script(prompt):
    """The harbor's color from a document; many words; three that wait for the test; else what was asked."""
    asked = prompt.rpartition("USER:")[2]
    if "BEGININPUT" in asked:
        return "The color of the harbor is teal.\n\nSource:\ntitle: Harbor\nsource: kite"
    if "Count for ever." in asked:
        return (f"{number} " for number in itertools.count())
    if "Wait for me." in asked:
        return in_two_halves()
    if BREAKS in asked:
        return breaking_off()
    return "I am a script."


def in_two_halves():
    yield "The first half"
    _go_on.wait(60)
    yield " and the second."


def breaking_off():
    yield "What came"
    raise BrokenPipeError


@pytest.fixture(scope="module")
def scripted():
    with ScriptedServer(script, window=2048, key=KEY, seconds_between=0.05) as server:
        yield server


@pytest.fixture(scope="module")
def workbench(scripted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workbench")
    key = ["--server", scripted.url, "--api-key-env", "SCRIPTED_KEY"]
    with serving_workbench(folder, *key, SCRIPTED_KEY=KEY) as address:
        yield address
    assert KEY not in (folder / "log.txt").read_text()


@pytest.fixture
def page(workbench):
    with chromium_page(height=1100) as page:
        page.goto(workbench)
        page.locator(STATUS).wait_for(timeout=60_000)
        yield page


def send(page, text):
    page.get_by_role("textbox", name=re.compile("^Message")).fill(text)
    page.get_by_role("button", name="Send").click()


def reply_says(page, text):
    """Wait for the last reply to hold ``text``."""
    page.locator(".bot", has_text=text).last.wait_for(timeout=30_000)


def picture(page, name):
    """A picture of the page, where LONGCTX_PICTURES names a folder for it."""
    if folder := os.environ.get("LONGCTX_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_the_status_line_says_that_nothing_is_confirmed(page, scripted):
    assert page.locator(STATUS).inner_text() == (
        "– airoboros-65b-gpt4-m2.0served elsewhere · 2048 tokens · "
        f"{scripted.url} · not scaled by this extension, not confirmed\nWhy"
    )
    page.get_by_text("Why").click()
    assert "the server says 2048 tokens (the server's /props, n_ctx)" in page.locator(STATUS).inner_text()
    assert KEY not in page.content()


def test_the_prompt_is_exact_and_the_reply_grows(page, scripted):
    _go_on.clear()
    send(page, "Wait for me.")
    reply_says(page, "The first half")
    assert "second" not in page.locator(".bot").last.inner_text()
    _go_on.set()
    reply_says(page, "The first half and the second.")
    assert scripted.prompts[-1] == render_conversation(TEMPLATE, "Wait for me.")
    page.wait_for_timeout(1500)  # the reply is whole before its event has ended, and one at a time may grow
    send(page, "Who are you?")
    reply_says(page, "I am a script.")
    history = [("Wait for me.", "The first half and the second.")]
    assert scripted.prompts[-1] == render_conversation(TEMPLATE, "Who are you?", history)


def test_stop_closes_the_connection_and_what_came_stays(page, scripted):
    scripted.left.clear()
    send(page, "Count for ever.")
    reply_says(page, "0 1 2 3")
    page.get_by_role("button", name="Stop").click()
    assert scripted.left.wait(20)
    said = page.locator(".bot").last.inner_text()
    page.wait_for_timeout(1500)
    assert page.locator(".bot").last.inner_text().startswith(said[:10])
    send(page, "Who are you?")
    reply_says(page, "I am a script.")
    assert "0 1 2 3" in scripted.prompts[-1]


def test_a_stream_that_breaks_off_leaves_what_came(page, scripted):
    send(page, BREAKS)
    page.get_by_text("ended the connection before the end of the reply").wait_for(timeout=30_000)
    reply_says(page, "What came")
    send(page, "Who are you?")
    reply_says(page, "I am a script.")
    assert scripted.prompts[-1] == render_conversation(TEMPLATE, "Who are you?", [(BREAKS, "What came")])


def test_documents_are_asked_about_in_the_exact_format(page, scripted):
    page.get_by_role("button", name=re.compile("^Documents")).click()
    page.locator(LIST).wait_for(timeout=15_000)
    page.get_by_label("Answer from these documents only").uncheck()
    paste(page, "Harbor", "source: kite", "The color of the harbor is teal.")
    question = "What is the color of the harbor?"
    page.get_by_role("textbox", name=re.compile("^Message")).fill(question)
    page.locator(BUDGET, has_text="2048 tokens in all.").wait_for(timeout=15_000)
    harbor = Document("The color of the harbor is teal.", (("title", "Harbor"), ("source", "kite")))
    expected = render_conversation(TEMPLATE, render(ClosedContext((harbor,), question)))
    page.get_by_role("button", name="Show the exact prompt").click()
    assert exact_prompt(page, question) == expected
    page.get_by_role("button", name="Send").click()
    reply_says(page, "The color of the harbor is teal.")
    assert scripted.prompts[-1] == expected
    page.locator(".airoboros-longctx-sources a", has_text="Harbor").wait_for(timeout=15_000)
    picture(page, "workbench-server")


def test_the_check_says_where_it_can_be_done(page):
    page.get_by_role("button", name=re.compile("^Check this model")).click()
    page.get_by_role("button", name="Start the check").click()
    page.get_by_text("Check it where it is loaded").first.wait_for(timeout=15_000)


def test_another_model_of_the_server_is_picked(page):
    field = page.get_by_label("Model on the server")
    field.fill("no-such-model")
    field.press("Enter")
    page.get_by_role("button", name="Load").click()
    page.get_by_text("has no model 'no-such-model'; it has 'airoboros-65b-gpt4-m2.0'").wait_for(timeout=15_000)


def test_a_server_that_comes_later_is_asked_when_load_is_pressed(tmp_path):
    port = free_port()
    server = ["--server", f"http://127.0.0.1:{port}"]
    with serving_workbench(tmp_path, *server) as url, chromium_page() as page:
        page.goto(url)
        page.locator(STATUS, has_text="No model is loaded.").wait_for(timeout=60_000)
        with ScriptedServer(script, ["first", "airoboros-65b-gpt4-m2.0"], port=port):
            page.get_by_role("button", name="Load").click()
            page.locator(STATUS, has_text="served elsewhere").wait_for(timeout=30_000)
            assert page.get_by_label("Model on the server").input_value() == "first"
            send(page, "Who are you?")
            reply_says(page, "I am a script.")
    said = f"There is no server at http://127.0.0.1:{port}/v1: Connection refused. Start it, or correct --server."
    assert said in (tmp_path / "log.txt").read_text()
