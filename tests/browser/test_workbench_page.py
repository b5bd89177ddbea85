"""The workbench as a person uses it, in Chromium: the shipped model answers past its base window."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.browser.chromium import chromium_page
from tests.browser.formats import choose, open_formats, press, said
from tests.browser.workbench_process import serving_workbench

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "demo" / "models" / "airoboros-tiny-1.4.1-PI-1024"
STATUS = "#airoboros-longctx-status-line [role=status]"
CONFIRMED = "linear ×4 · 1024 tokens · Transformers · confirmed on the live model"

pytestmark = pytest.mark.browser
pytest.importorskip("gradio")
pytest.importorskip("torch")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A workbench with the shipped model, opened as `start.py` opens it."""
    with serving_workbench(tmp_path_factory.mktemp("workbench")) as address:
        yield address


@pytest.fixture
def page(url):
    with chromium_page() as page:
        page.goto(url)
        page.locator(STATUS).wait_for(timeout=60_000)
        yield page


def ask(page, text):
    """Send a message and wait until the reply no longer grows."""
    replies = page.locator(".bot .prose, .bot.message")
    before = replies.count()
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()
    last, since = "", time.monotonic()
    while time.monotonic() - since < 60:
        now = replies.last.inner_text().strip() if replies.count() > before else ""
        if now != last:
            last, since = now, time.monotonic()
        elif now not in ("", "…") and time.monotonic() - since > 3:
            return now
        page.wait_for_timeout(200)
    raise AssertionError(f"no reply to {text[:60]!r}")


def test_status_line_says_what_was_done_and_why(page):
    assert CONFIRMED in page.locator(STATUS).inner_text()
    page.get_by_text("Why").click()
    assert "You'll need to set max_seq_len to 1024 and compress_pos_emb to 4." in page.locator(STATUS).inner_text()


def test_question_past_the_base_window_is_answered_right(page):
    from transformers import AutoTokenizer

    from demo.train.data import keyed_question

    tokenizer = AutoTokenizer.from_pretrained(DEMO)
    right = 0
    for seed in range(3):
        question = keyed_question(9000 + seed, 900, 0.0, tokenizer, ask_source=False)
        page.reload()  # a new conversation
        page.locator(STATUS).wait_for(timeout=60_000)
        right += question.value in ask(page, question.message)
    assert right >= 2


def test_a_folder_without_a_model_is_refused_with_a_sentence(page):
    folder = page.get_by_label("Model folder")
    folder.fill("/no/such/folder")
    folder.press("Enter")
    page.get_by_role("button", name="Load").click()
    page.get_by_text("has no config.json").wait_for(timeout=15_000)
    assert CONFIRMED in page.locator(STATUS).inner_text()


def test_an_empty_message_is_refused(page):
    page.get_by_label("Message").fill("  ")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("The message is empty").wait_for(timeout=15_000)


def test_the_loaded_model_is_asked_in_a_form(page):
    """The shipped model knows no form: its reply is read all the same, and said to be none, but never stopped."""
    open_formats(page)
    assert page.locator("#airoboros-longctx-format-choice input").input_value() == ""
    choose(page, "Function call")
    press(page, "ask")
    said(page).get_by_role("alert").wait_for(timeout=120_000)
    assert re.search("a function call in JSON or YAML is needed|where a call begins|was found", said(page).inner_text())
