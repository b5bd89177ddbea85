"""The page of a real webui, as a person uses it: the status line, the Model tab, several tabs, switching us off."""

from __future__ import annotations

import numpy as np
import pytest

from tests.browser.chromium import chromium_page
from tests.host.models import BASE, CONFIRMED, FACTOR, LONG, WINDOW

pytestmark = [pytest.mark.browser, pytest.mark.host]
STATUS = "#airoboros-longctx-status-line [role=status]"
REFRESHED = 60_000  # milliseconds: the line asks every four seconds
OPENED = 120_000


@pytest.fixture(scope="module")
def server(start, models):
    return start(models.all(), arguments=["--model", models.scaled.name, "--loader", "Transformers"])


def opened(page, server):
    page.goto(server.url, wait_until="domcontentloaded")
    page.locator("#chat-input textarea").first.wait_for(state="visible", timeout=OPENED)
    return page


def line_says(page, text):
    page.locator(STATUS, has_text=text).wait_for(state="attached", timeout=REFRESHED)


def modern_only(host):
    if not (host.webui / "modules" / "api").is_dir():
        pytest.skip(f"{host.name} has another Model tab; its loads are tested through the API")


def pick_and_load(page, model):
    page.get_by_role("tab", name="Model", exact=True).click()
    box = page.get_by_label("Model", exact=True).locator("visible=true").first
    box.click()
    box.fill(model)
    page.get_by_role("option", name=model).click()
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Load", exact=True).click()
    page.get_by_text(f"Successfully loaded {model}").wait_for(timeout=OPENED)


def expect_truncation_length(page, value):
    """The field, at the latest after a refresh: a page that was just opened may still follow the model before."""
    page.get_by_role("tab", name="Parameters", exact=True).click()
    field = page.get_by_label("Truncate the prompt up to this length").first
    for _ in range(50):
        if int(field.input_value()) == value:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"the field stayed at {field.input_value()}; {value} was expected")


def test_status_line_says_what_was_done_and_why(server, models):
    server.load(models.scaled.name)
    with chromium_page() as page:
        opened(page, server)
        line_says(page, CONFIRMED)
        page.wait_for_timeout(5000)  # the webui builds its page anew once while it opens
        line = page.locator(STATUS)
        line.get_by_text("Why").click()
        page.wait_for_timeout(6000)  # the line has asked again, and the reasons are still open
        assert "You'll need to set max_seq_len to 1024 and compress_pos_emb to 4." in line.inner_text()
        assert not page.locator("#airoboros-longctx-refresh").is_visible()


def test_status_line_follows_an_api_load_in_every_tab(server, models):
    server.load(models.scaled.name)
    with chromium_page() as page:
        opened(page, server)
        other = opened(page.context.browser.new_page(), server)
        line_says(page, CONFIRMED)
        server.load(models.plain.name)
        for tab in (page, other):
            tab.bring_to_front()
            line_says(tab, "unscaled · 256 tokens")


def test_model_tab_loads_with_the_planned_window(host, server, models):
    modern_only(host)
    with chromium_page() as page:
        opened(page, server)
        pick_and_load(page, models.plain.name)
        expect_truncation_length(page, BASE)
        pick_and_load(page, models.scaled.name)
        expect_truncation_length(page, WINDOW)
        assert server.ask("window")["ctx_size"] == WINDOW
        page.get_by_role("tab", name="Model", exact=True).click()
        page.get_by_role("button", name="Save settings").first.click()
        page.get_by_text(f"Settings for {models.scaled.name} saved to").wait_for(timeout=REFRESHED)
        pick_and_load(page, models.plain.name)
        pick_and_load(page, models.scaled.name)
        expect_truncation_length(page, WINDOW)
        opened(page, server)
        line_says(page, CONFIRMED)
        expect_truncation_length(page, WINDOW)


@pytest.mark.parametrize("place", [pytest.param("extensions", marks=pytest.mark.thorough), "user_data/extensions"])
def test_switched_off_and_on_again(host, start, offline_scores, models, place):
    modern_only(host)
    arguments = ["--model", models.scaled.name, "--loader", "Transformers"]
    server = start(models.all(), arguments=arguments, user_data_extension=place != "extensions")

    def restart(page):
        page.get_by_role("tab", name="Session", exact=True).click()
        page.get_by_label("airoboros_longctx").click()
        page.get_by_role("button", name="Apply flags/extensions and restart").click()
        page.wait_for_timeout(6000)
        server.wait_until_ready()

    with chromium_page() as page:
        restart(opened(page, server))
        opened(page, server)
        assert page.locator(STATUS).count() == 0
        server.load(models.scaled.name)
        found = server.first_scores(LONG[:300])
        assert np.array_equal(found["scores"], offline_scores(models.scaled, 1, found["input_ids"]))
        assert server.ask("window")["truncation_length"] == BASE
        restart(page)
        opened(page, server)
        server.load(models.scaled.name)
        line_says(page, CONFIRMED)
        found = server.first_scores(LONG)
        assert np.array_equal(found["scores"], offline_scores(models.scaled, FACTOR, found["input_ids"]))
