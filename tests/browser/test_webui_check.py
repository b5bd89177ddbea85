"""The check in a real webui, in Chromium: while others use the model, and stopped, and with the model taken away."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.browser import checking
from tests.browser.chromium import chromium_page
from tests.host.models import FACTOR, LONG
from tests.host.test_loaders_llama_cpp_python import binding_host, gguf

__all__ = ["binding_host", "gguf"]
pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(start, models):
    return start((models.scaled,), arguments=["--model", models.scaled.name, "--loader", "Transformers"])


@pytest.fixture
def page(server):
    with chromium_page(1280, 1400) as page:
        yield opened(page, server)


def opened(page, server):
    page.goto(server.url, wait_until="domcontentloaded")
    page.locator("#chat-input textarea, #main textarea").first.wait_for(state="visible", timeout=120_000)
    page.wait_for_timeout(4000)  # the webui builds its page anew once while it opens
    checking.open_panel(page)
    return page


def test_verdict_and_plots_while_others_are_answered(newest, server, page, models, offline_scores):
    replies = []
    checking.start(page, "64, 256")
    checking.wait_for_share(page, 0.1)
    asking = threading.Thread(target=lambda: replies.append(server.first_scores(LONG)))
    asking.start()
    asking.join(60)
    (found,) = replies
    expected = offline_scores(models.scaled, FACTOR, found["input_ids"])
    assert np.array_equal(found["scores"], expected)
    assert checking.RIGHT in checking.verdict(page)
    widths = checking.widths_of_plots(page)
    assert len(widths) == 2
    assert min(widths) > 300


@pytest.mark.thorough
def test_stopped_half_way_the_model_is_as_it_was(server, page, models, offline_scores):
    server.load(models.scaled.name)  # scaled while it is loaded, and not in place as at the start
    checking.start(page, "")
    checking.wait_for_share(page, 0.5)
    checking.press(page, "Stop the check")
    page.locator(f"{checking.RESULT} .airoboros-longctx-note", has_text="stopped after").first.wait_for(timeout=60_000)
    found = server.first_scores(LONG)
    assert np.array_equal(found["scores"], offline_scores(models.scaled, FACTOR, found["input_ids"]))


@pytest.mark.thorough
def test_model_that_is_unloaded_ends_its_check(server, page, models):
    checking.start(page, "")
    checking.wait_for_share(page, 0.1)
    server.unload()
    said = page.locator(f"{checking.PANEL} [role=alert]", has_text="was unloaded, or changed, while it was measured.")
    said.wait_for(timeout=60_000)
    server.load(models.scaled.name)


@pytest.mark.thorough
@pytest.mark.parametrize(("loader", "gives_logits"), [("llama.cpp", False), ("llamacpp_HF", True)])
def test_loader_that_scales_by_itself_is_measured_as_far_as_it_lets_us(binding_host, start, gguf, loader, gives_logits):
    server = start(gguf, arguments=["--model", gguf[0].name, "--loader", loader])
    with chromium_page(1280, 1400) as page:
        checking.start(opened(page, server), "256, 512")
        said = checking.verdict(page)
        notes = page.locator(checking.RESULT).first.inner_text()
    assert "of 20 answers at 512" in said
    assert ("perplexity" in said) is gives_logits
    assert (f"{loader} gives no logits: perplexity could not be measured." in notes) is not gives_logits
    assert f"{loader} cannot be scaled while it runs: no other factor was measured." in notes
    assert "load it again" not in notes
