"""A long prompt on a real webui's page: how far it is read, "Stop" while it is, and the next question after that."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from benchmarks.corpus import english
from benchmarks.random_llama import make_random_llama
from tests.browser.chromium import chromium_page
from tests.browser.test_webui_status_line import LATER, SHORT, STATUS, open_page

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]

BASE, FACTOR = 2048, 4
CARD = f"Set max_seq_len to {BASE * FACTOR} and compress_pos_emb to {FACTOR}.\n"
#: The model reads about a thousand tokens in a second.
TEXT = english(13_000)
PASS = 512
READING = re.compile(r"reading the prompt: ([\d,]+) of ([\d,]+) tokens")
GENERATED = re.compile(r"Output generated in [\d.]+ seconds \([^)]*?(\d+) tokens, context (\d+)")


@pytest.fixture(scope="module")
def server(newest_only, start, tmp_path_factory):
    model = make_random_llama(tmp_path_factory.mktemp("models") / "random-llama-PI-8192", BASE, CARD)
    arguments = ["--model", model.name, "--loader", "Transformers"]
    settings = "mode: instruct\nmax_new_tokens: 8\nauto_max_new_tokens: false\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGCTX_PROBE_MORE", str(Path(__file__).parents[1] / "host" / "prefix_probe.py"))
        return start((model,), arguments=arguments, settings=settings)


@pytest.fixture(scope="module")
def newest_only(host):
    if not (host.webui / "modules" / "api").is_dir():
        pytest.skip(f"{host.name} has the page of 2023")


@pytest.fixture
def page(server):
    with chromium_page(1300, 800) as page:
        open_page(page, server)
        expect(page.locator(STATUS)).to_be_visible(timeout=LATER)
        page.wait_for_timeout(4000)  # the webui builds its page anew once while it opens
        yield page


def send(page, text):
    box = page.locator("#chat-input textarea")
    box.fill(text)
    box.press("Enter")


def generated(server):
    """Of each reply so far its tokens, and those of its prompt."""
    return [(int(new), int(context)) for new, context in GENERATED.findall(server.said())]


def wait_for_replies(page, server, count):
    for _ in range(LATER // 500):
        if len(generated(server)) >= count:
            return generated(server)[-1]
        page.wait_for_timeout(500)
    raise AssertionError(f"the webui answered {len(generated(server))} times:\n{server.log()[-3000:]}")


def test_stopped_while_it_is_read(page, server):
    send(page, TEXT)
    expect(page.locator(SHORT)).to_contain_text(READING, timeout=LATER)
    expect(page.locator(SHORT)).to_contain_text(re.compile(r"reading the prompt: [1-9][\d,]* of"), timeout=LATER)
    whole = int(READING.search(page.locator(STATUS).inner_text()).group(2).replace(",", ""))
    expect(page.locator(SHORT)).to_be_in_viewport(ratio=1)
    picture(page, "webui-reading-the-prompt")
    page.locator("#chat-input-row #stop").click()
    new, context = wait_for_replies(page, server, 1)
    assert (new, context) == (0, whole)
    kept = server.ask("kept")
    tokens = int(re.search(r"prefix of ([\d,]+) tokens kept", kept["status"]).group(1).replace(",", ""))
    assert tokens % PASS == 0
    assert 0 < tokens < whole
    expect(page.locator(SHORT)).to_contain_text(f"prefix of {tokens:,} tokens kept", timeout=LATER)
    send(page, "And now?")
    new, context = wait_for_replies(page, server, 2)
    assert new > 0
    found = server.ask("kept")
    assert found["last"] == [tokens, context - tokens]
    assert found["left_alone"] == {}


def picture(page, name):
    folder = os.environ.get("LONGCTX_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")
