"""An open page of a real webui: quiet while nothing happens, and its fields follow a model that the API loaded."""

from __future__ import annotations

import pytest

from tests.browser.chromium import chromium_page
from tests.host.conftest import BASE, WINDOW

pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(start, models):
    return start(models.all(), arguments=["--model", models.scaled.name, "--loader", "Transformers"])


@pytest.fixture
def page(server):
    with chromium_page() as page:
        page.goto(server.url, wait_until="domcontentloaded")
        page.locator("#chat-input textarea").first.wait_for(state="visible", timeout=120_000)
        page.wait_for_timeout(6000)
        yield page


def truncation_length(page) -> int:
    box = page.get_by_label("Truncate the prompt up to this length").first
    return int(box.input_value())


def wait_for_truncation_length(page, value):
    for _ in range(60):
        if truncation_length(page) == value:
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"the field stayed at {truncation_length(page)}; {value} was expected")


def test_an_idle_page_asks_once_every_few_seconds(newest, page):
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.wait_for_timeout(12_000)
    assert len(sent) <= 8


def test_the_fields_follow_a_model_that_the_api_loaded(page, server, models):
    if not server.modern:
        pytest.skip("in Gradio 3 the page's fields keep what they say until the page is opened anew")
    wait_for_truncation_length(page, WINDOW)
    server.load(models.plain.name)
    wait_for_truncation_length(page, BASE)
    server.load(models.scaled.name)
    wait_for_truncation_length(page, WINDOW)
    page.reload(wait_until="domcontentloaded")
    page.locator("#chat-input textarea").first.wait_for(state="visible", timeout=120_000)
    page.wait_for_timeout(6000)
    wait_for_truncation_length(page, WINDOW)
