"""The page of a real webui as a person uses it, in Chromium: status line, Model tab, several tabs, UI restart."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from tests.browser.chromium import chromium_page
from tests.host.conftest import BASE, CONFIRMED, FACTOR, WINDOW

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]

LINE = "#airoboros-longctx-status-line"
STATUS = f"{LINE} [role=status]"
#: The same in short, under the message box: the panels themselves are below the fold.
SHORT = "#airoboros-longctx-short"
UNSCALED = f"unscaled · {BASE} tokens · Transformers · confirmed on the live model"
#: Two refreshes of the status line, and a machine that is busy.
SOON = 15_000
LATER = 120_000
LONG = "The color of the harbor is teal. The code of Alda is 4417. " * 24
#: Markup in a card's sentence and in a folder's name: shown as it is written, never run.
MARKUP = '<b class="foreign">4</b> <img src="x" onerror="window.foreignCodeRan = true">'
HOSTILE = "airoboros-1.4.1-&lt;i&gt;"


@pytest.fixture(scope="module")
def modern(host):
    if not (host.webui / "modules" / "api").is_dir():
        pytest.skip(f"{host.name} has the page of 2023; its status line has a test of its own")
    return host


@pytest.fixture(scope="module")
def hostile(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / HOSTILE
    shutil.copytree(models.scaled, folder, ignore=shutil.ignore_patterns("README.md"))
    card = f"You'll need to set max_seq_len to {WINDOW} and compress_pos_emb to {FACTOR} {MARKUP}.\n"
    (folder / "README.md").write_text(card)
    return folder


def start_with_scaled(start, models, *more, **options):
    arguments = ["--model", models.scaled.name, "--loader", "Transformers"]
    return start((models.scaled, models.plain, *more), arguments=arguments, page=True, **options)


@pytest.fixture(scope="module")
def server(modern, start, models, hostile):
    """The scaled model is named on the command line: it is there before any extension is."""
    return start_with_scaled(start, models, hostile)


@pytest.fixture
def page(server):
    with chromium_page(1300, 800) as page:
        open_page(page, server)
        expect(page.locator(STATUS)).to_be_visible(timeout=LATER)
        yield page


# -- what a person does -------------------------------------------------------------------------------------------


def open_page(page, server):
    """Open the page of a webui; while it restarts nobody answers."""
    page.set_default_timeout(LATER)
    page.goto(server.url)
    page.locator("#chat-input textarea").wait_for()
    page.wait_for_function("window.airoborosLongctxRefresh || !document.querySelector('#airoboros-longctx-refresh')")


def open_tab(page, name):
    page.get_by_role("tab", name=name, exact=True).first.click()


def expect_status(page, text, timeout=SOON):
    expect(page.locator(STATUS)).to_contain_text(text, timeout=timeout)
    expect(page.locator(SHORT)).to_contain_text(text, timeout=timeout)


def expect_fields(page, server, window):
    """The same window in the Parameters tab, in the Model tab and inside the server."""
    open_tab(page, "Parameters")
    expect(page.get_by_label("Truncate the prompt up to this length")).to_have_value(str(window), timeout=SOON)
    open_tab(page, "Model")
    expect(page.get_by_label("number input for ctx-size", exact=True)).to_have_value(str(window), timeout=SOON)
    found = server.ask("window")
    assert (found["truncation_length"], found["ctx_size"]) == (window, window)
    open_tab(page, "Chat")


def pick_model(page, name):
    open_tab(page, "Model")
    menu = page.locator("#model-tab").get_by_label("Model", exact=True)
    menu.click()
    page.get_by_role("option", name=name).click()
    expect(menu).to_have_value(name)
    expect(page.get_by_text("Settings updated")).to_be_visible(timeout=LATER)


def press_load(page, name):
    """Press Load, for a model that is picked; also how a loaded model is loaded once more."""
    open_tab(page, "Model")
    page.locator("#model-tab").get_by_role("button", name="Load", exact=True).click()
    expect(page.get_by_text(f"Successfully loaded {name}.")).to_be_visible(timeout=LATER)
    page.wait_for_timeout(500)  # the page's last step writes its fields after it has said so
    open_tab(page, "Chat")


def restart_with(page, server, *, extension_on):
    """Tick or untick the extension and press the button that restarts the page."""
    starts = server.log().count("Running on local URL")
    open_tab(page, "Session")
    page.locator("#session-tab").get_by_label("airoboros_longctx", exact=True).set_checked(extension_on)
    page.get_by_role("button", name="Apply flags/extensions and restart").click()
    deadline = time.monotonic() + LATER / 1000
    while server.log().count("Running on local URL") == starts:
        assert time.monotonic() < deadline, server.log()[-3000:]
        page.wait_for_timeout(200)
    page.wait_for_timeout(3000)  # the page reloads itself after 2.5 s
    open_page(page, server)


# -- inside the server ---------------------------------------------------------------------------------------------


def expect_model(server, offline_scores, folder, factor):
    """The live model's scores are those of an offline load with ``factor``, to the last bit."""
    found = server.first_scores(LONG if factor > 1 else LONG[:300])
    assert (len(found["input_ids"]) > BASE) == (factor > 1)
    assert np.array_equal(found["scores"], offline_scores(folder, factor, found["input_ids"]))
    assert found["truncation_length"] == BASE * factor


def confirmations(server):
    return server.said().count(CONFIRMED)


# -- the status line ----------------------------------------------------------------------------------------------


def test_status_line_says_what_was_done_and_why(page, server, offline_scores, models):
    expect_status(page, CONFIRMED)
    assert page.locator(LINE).count() == 1
    page.locator(STATUS).get_by_text("Why", exact=True).click()
    row = page.locator(f"{STATUS} dt:text-is('scaling') + dd")
    expect(row).to_be_visible()
    assert "the model card" in row.inner_text()
    assert f"compress_pos_emb to {FACTOR}" in row.inner_text()
    expect_fields(page, server, WINDOW)
    expect_model(server, offline_scores, models.scaled, FACTOR)


def test_short_line_is_in_view_and_leads_to_the_reasons(page):
    short = page.locator(SHORT)
    expect(short).to_have_text(f"✔ {CONFIRMED}")
    expect(short).to_be_in_viewport(ratio=1)
    expect(page.locator("#chat-input")).to_be_in_viewport(ratio=1)
    short.click()
    expect(page.locator(f"{STATUS} dl")).to_be_in_viewport()
    assert page.locator(SHORT).count() == 1


def test_refreshing_is_neither_seen_nor_felt(page):
    """While a person types and reads, the line is refreshed: no flicker, no lost focus, "Why" stays open."""
    page.evaluate("""() => {
        const line = document.querySelector('#airoboros-longctx-status-line');
        window.seen = {presses: 0, overlays: 0, changes: 0};
        document.querySelector('#airoboros-longctx-refresh').addEventListener('click', () => window.seen.presses++);
        new MutationObserver(records => records.forEach(({type, target}) => {
            if (type === 'attributes' && target.matches('.wrap:not(.hide)')) window.seen.overlays++;
            if (type === 'childList' && target.closest('.prose')) window.seen.changes++;
        })).observe(line, {subtree: true, attributes: true, childList: true});
    }""")
    page.locator(STATUS).get_by_text("Why", exact=True).click()
    box = page.locator("#chat-input textarea")
    box.click()
    text = "What is the code of Alda? " * 3
    for start in range(0, len(text), 6):
        page.keyboard.type(text[start : start + 6])
        page.wait_for_timeout(700)
        assert page.evaluate("document.activeElement === document.querySelector('#chat-input textarea')")
    assert box.input_value() == text
    seen = page.evaluate("window.seen")
    assert seen["presses"] >= 2
    assert (seen["overlays"], seen["changes"]) == (0, 0)
    assert page.locator(f"{STATUS} details").get_attribute("open") is not None
    assert page.locator("#airoboros-longctx-refresh").count() == 1
    assert not page.locator("#airoboros-longctx-refresh").is_visible()
    assert not page.locator("#airoboros-longctx-accept").is_visible()


def test_two_tabs_see_a_load_through_the_api(page, server, models):
    other = page.context.browser.new_page()
    open_page(other, server)
    server.load(models.plain.name)
    for tab in (page, other):
        expect_status(tab, UNSCALED)
        assert models.plain.name in tab.locator(STATUS).inner_text()
    server.unload()
    for tab in (page, other):
        expect_status(tab, "No model is loaded.")
    server.load(models.scaled.name)
    for tab in (page, other):
        expect_status(tab, CONFIRMED)
    other.close()


def test_foreign_text_is_shown_as_text(page, server):
    server.load(HOSTILE)
    expect(page.locator(STATUS)).to_contain_text(HOSTILE, timeout=SOON)
    expect_status(page, CONFIRMED)
    page.locator(STATUS).get_by_text("Why", exact=True).click()
    assert MARKUP in page.locator(STATUS).inner_text()
    assert page.locator(f"{LINE} img, {LINE} .foreign, {LINE} i").count() == 0
    assert not page.evaluate("window.foreignCodeRan")


# -- the Model tab -------------------------------------------------------------------------------------------------


def test_model_tab_loads_plain_scaled_and_the_same_again(page, server, offline_scores, models):
    pick_model(page, models.plain.name)
    press_load(page, models.plain.name)
    expect_status(page, UNSCALED)
    expect_fields(page, server, BASE)
    expect_model(server, offline_scores, models.plain, 1)
    pick_model(page, models.scaled.name)
    press_load(page, models.scaled.name)
    expect_status(page, CONFIRMED)
    expect_fields(page, server, WINDOW)
    expect_model(server, offline_scores, models.scaled, FACTOR)
    press_load(page, models.scaled.name)
    expect_status(page, CONFIRMED)
    expect_fields(page, server, WINDOW)
    expect_model(server, offline_scores, models.scaled, FACTOR)


# -- the page restarts ---------------------------------------------------------------------------------------------


def check_switching_off_and_on(page, server, offline_scores, models):
    restart_with(page, server, extension_on=False)
    assert page.locator(f"{LINE}, {SHORT}").count() == 0
    server.load(models.scaled.name)
    expect_model(server, offline_scores, models.scaled, 1)
    assert server.ask("window")["truncation_length"] == BASE
    restart_with(page, server, extension_on=True)
    expect_status(page, CONFIRMED)  # the model that was loaded without us is looked after
    expect_model(server, offline_scores, models.scaled, FACTOR)
    server.load(models.plain.name)
    expect_status(page, UNSCALED)
    before = confirmations(server)
    server.load(models.scaled.name)
    expect_status(page, CONFIRMED)
    assert page.locator(LINE).count() == 1
    expect_model(server, offline_scores, models.scaled, FACTOR)
    page.wait_for_timeout(4000)  # a refresh later it is still the same one confirmation
    assert confirmations(server) == before + 1


def test_switched_off_and_on_again(page, server, offline_scores, models):
    check_switching_off_and_on(page, server, offline_scores, models)


def test_switched_off_and_on_again_in_user_data(modern, start, offline_scores, models):
    """There the file of the extension is run again at every restart of the page."""
    server = start_with_scaled(start, models, user_data_extension=True)
    with chromium_page(1300, 800) as page:
        open_page(page, server)
        expect_status(page, CONFIRMED, LATER)
        check_switching_off_and_on(page, server, offline_scores, models)


# -- how it looks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 1300])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_page(page, server, models, theme, width):
    server.load(models.scaled.name)
    if page.evaluate("document.body.classList.contains('dark')") != (theme == "dark"):
        open_tab(page, "Session")
        page.get_by_role("button", name="Toggle light/dark theme").click()
        page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=theme == "dark")
        open_tab(page, "Chat")
    page.set_viewport_size({"width": width, "height": 800})
    expect_status(page, CONFIRMED)
    if width < 500:  # the sidebars cover a narrow page; they open and close by themselves only when it is opened
        open_page(page, server)
        expect_status(page, CONFIRMED)
    folder = os.environ.get("LONGCTX_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"webui-{theme}-{width}.png")
    page.locator(STATUS).get_by_text("Why", exact=True).click()
    page.locator(STATUS).scroll_into_view_if_needed()
    box = page.locator(STATUS).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.locator(STATUS).evaluate("e => e.scrollWidth <= e.clientWidth")
    if folder:
        page.screenshot(path=Path(folder) / f"webui-{theme}-{width}-why.png")


# -- saved settings; last, since they stay ---------------------------------------------------------------------------


def test_saved_settings_keep_the_window(page, server, offline_scores, models):
    pick_model(page, models.plain.name)
    pick_model(page, models.scaled.name)
    page.get_by_role("button", name="Save settings", exact=True).click()
    expect(page.locator("#model-tab").get_by_text("saved to")).to_be_visible(timeout=LATER)
    press_load(page, models.scaled.name)
    expect_status(page, CONFIRMED)
    expect_fields(page, server, WINDOW)
    expect_model(server, offline_scores, models.scaled, FACTOR)
    open_page(page, server)
    expect_status(page, CONFIRMED)
    expect_fields(page, server, WINDOW)
    pick_model(page, models.plain.name)
    press_load(page, models.plain.name)
    expect_status(page, UNSCALED)
    expect_fields(page, server, BASE)
    pick_model(page, models.scaled.name)
    press_load(page, models.scaled.name)
    expect_status(page, CONFIRMED)
    expect_fields(page, server, WINDOW)
    expect_model(server, offline_scores, models.scaled, FACTOR)


# -- the page of 2023 ----------------------------------------------------------------------------------------------


def test_page_of_2023_shows_an_api_load(host, start, models):
    if (host.webui / "modules" / "api").is_dir():
        pytest.skip(f"{host.name} has today's page")
    server = start_with_scaled(start, models)
    with chromium_page(1300, 800) as page:
        page.goto(server.url)
        expect(page.locator(STATUS)).to_contain_text(CONFIRMED, timeout=LATER)
        server.load(models.plain.name)
        expect(page.locator(STATUS)).to_contain_text("unscaled", timeout=SOON)
        server.load(models.scaled.name)
        expect(page.locator(STATUS)).to_contain_text(CONFIRMED, timeout=SOON)
        assert (page.locator(STATUS).count(), page.locator(SHORT).count()) == (1, 1)
        expect(page.locator(SHORT)).to_be_in_viewport(ratio=1)
        assert not page.locator("#airoboros-longctx-refresh").is_visible()
