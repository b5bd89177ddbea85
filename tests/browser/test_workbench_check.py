"""The check in the workbench, in Chromium: from Start to the verdict, and stopped half-way."""

from __future__ import annotations

import base64
import json

import pytest

from tests.browser import checking
from tests.browser.chromium import chromium_page
from tests.browser.test_workbench_page import CONFIRMED, STATUS, url

__all__ = ["url"]
pytestmark = pytest.mark.browser
pytest.importorskip("gradio")
pytest.importorskip("torch")


@pytest.fixture
def page(url):
    with chromium_page() as page:
        page.goto(url)
        page.locator(STATUS).wait_for(timeout=60_000)
        checking.open_panel(page)
        yield page


def test_shipped_model_is_judged_right_with_plots_tables_and_files(page):
    pytest.importorskip("matplotlib")
    checking.start(page, "64, 256")
    page.get_by_role("button", name="Stop the check").wait_for()
    assert checking.RIGHT in checking.verdict(page)
    assert len(checking.widths_of_plots(page)) == 2
    assert min(checking.widths_of_plots(page)) > 300
    link = page.locator(f"{checking.RESULT} a", has_text="result.json").get_attribute("href")
    found = json.loads(base64.b64decode(link.partition(",")[2]))
    assert [point["context_tokens"] for point in found["measured"][0]["perplexity"]] == [64, 256]
    names = page.locator(f"{checking.RESULT} a").all_inner_texts()
    assert {name.rpartition(".")[2] for name in names} == {"md", "csv", "json", "png", "svg"}
    page.reload()  # the result belongs to no page
    checking.open_panel(page)
    assert checking.RIGHT in checking.verdict(page)


def test_stopped_check_leaves_the_model_as_it_was(page):
    checking.start(page, "64, 4096")
    page.locator(f"{checking.PANEL} [role=alert]", has_text="the model's window has 1024").wait_for(timeout=30_000)
    page.get_by_role("button", name="Start the check").wait_for()
    checking.start(page, "")
    checking.wait_for_share(page, 0.05)
    page.reload()  # the check goes on without its page
    checking.open_panel(page)
    checking.wait_for_share(page, 0.1)
    checking.press(page, "Stop the check")
    page.locator(f"{checking.RESULT} .airoboros-longctx-note", has_text="stopped after").first.wait_for(timeout=60_000)
    assert "load it again" not in page.locator(checking.RESULT).inner_text()
    assert CONFIRMED in page.locator(STATUS).inner_text()
