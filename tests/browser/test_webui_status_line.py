"""The status line on a real webui's page: in view at every width, quiet while it refreshes, foreign text harmless."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.browser.chromium import chromium_page
from tests.host.conftest import CONFIRMED, FACTOR, WINDOW

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]

LINE = "#airoboros-longctx-status-line"
STATUS = f"{LINE} [role=status]"
#: The same in short, under the message box: the panels themselves are below the fold.
SHORT = "#airoboros-longctx-short"
SOON, LATER = 15_000, 120_000
#: Markup in a card's sentence and in a folder's name: shown as it is written, never run.
MARKUP = '<b class="foreign">4</b> <img src="x" onerror="window.foreignCodeRan = true">'
HOSTILE = "airoboros-1.4.1-&lt;i&gt;"


@pytest.fixture(scope="module")
def modern(host):
    if not (host.webui / "modules" / "api").is_dir():
        pytest.skip(f"{host.name} has the page of 2023")
    return host


@pytest.fixture(scope="module")
def hostile(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / HOSTILE
    shutil.copytree(models.scaled, folder, ignore=shutil.ignore_patterns("README.md"))
    card = f"You'll need to set max_seq_len to {WINDOW} and compress_pos_emb to {FACTOR} {MARKUP}.\n"
    (folder / "README.md").write_text(card)
    return folder


@pytest.fixture(scope="module")
def server(modern, start, models, hostile):
    """The scaled model is named on the command line: it is there before any extension is."""
    arguments = ["--model", models.scaled.name, "--loader", "Transformers"]
    return start((models.scaled, hostile), arguments=arguments)


@pytest.fixture
def page(server):
    with chromium_page(1300, 800) as page:
        open_page(page, server)
        expect(page.locator(STATUS)).to_be_visible(timeout=LATER)
        yield page


def open_page(page, server):
    """Open the page of a webui; while it restarts nobody answers."""
    page.set_default_timeout(LATER)
    page.goto(server.url)
    page.locator("#chat-input textarea").wait_for()
    page.wait_for_function("window.airoborosLongctxRefresh || !document.querySelector('#airoboros-longctx-refresh')")


def expect_status(page, text, timeout=SOON):
    expect(page.locator(STATUS)).to_contain_text(text, timeout=timeout)
    expect(page.locator(SHORT)).to_contain_text(text, timeout=timeout)


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


def test_foreign_text_is_shown_as_text(page, server):
    server.load(HOSTILE)
    expect(page.locator(STATUS)).to_contain_text(HOSTILE, timeout=SOON)
    expect_status(page, CONFIRMED)
    page.locator(STATUS).get_by_text("Why", exact=True).click()
    assert MARKUP in page.locator(STATUS).inner_text()
    assert page.locator(f"{LINE} img, {LINE} .foreign, {LINE} i").count() == 0
    assert not page.evaluate("window.foreignCodeRan")


@pytest.mark.parametrize("width", [360, 1300])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_the_page(page, server, models, theme, width):
    server.load(models.scaled.name)
    page.set_viewport_size({"width": width, "height": 800})
    open_page(page, server)  # the sidebars fold away only when a page is opened narrow
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
    expect_status(page, CONFIRMED)
    for inside in (SHORT, "#chat-input", "#Generate"):
        expect(page.locator(inside)).to_be_in_viewport(ratio=1)
    assert page.locator(SHORT).evaluate("e => e.scrollWidth <= e.clientWidth && e.clientHeight < 20")
    folder = os.environ.get("LONGCTX_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"webui-{theme}-{width}.png")
    page.wait_for_timeout(3000)  # the webui builds its page anew once while it opens
    page.locator(STATUS).get_by_text("Why", exact=True).click()
    page.locator(STATUS).evaluate("e => e.scrollIntoView()")
    box = page.locator(STATUS).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.locator(STATUS).evaluate("e => e.scrollWidth <= e.clientWidth")
    if folder:
        page.screenshot(path=Path(folder) / f"webui-{theme}-{width}-why.png")
