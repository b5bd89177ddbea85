"""The check in a real webui, in Chromium: while others use the model, and stopped, and with the model taken away."""

from __future__ import annotations

import math
import subprocess
import threading

import numpy as np
import pytest

from tests.browser import checking
from tests.browser.chromium import chromium_page
from tests.host.models import DEMO, FACTOR, LONG
from tests.host.test_loaders_autogptq import HERE, need_auto_gptq
from tests.host.test_loaders_llama_cpp_python import binding_host, gguf
from tests.host.test_loaders_llama_server import HostWithServer, gguf_models, server_host
from tests.host.test_v17_loaders import HostOnCpu
from tests.releases.check_path import checked_in_page, checked_in_workbench

__all__ = ["binding_host", "gguf", "gguf_models", "server_host"]
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


@pytest.mark.thorough
def test_llama_server_is_asked_the_questions_alone(server_host, gguf_models, tmp_path):
    """A stand-in in the place of the binary, which finds everything again; the way to it is the webui's own."""
    arguments = ["--model", gguf_models.scaled.name]
    server = HostWithServer(server_host, tmp_path, (gguf_models.scaled,), arguments=arguments)
    try:
        server.wait_until_ready()
        with chromium_page(1280, 1400) as page:
            said, found = checked_in_page(opened(page, server), (256, 1024))
    finally:
        server.stop()
    assert said == (
        "? Scaled ×4, it reads well to 1024 tokens: 20 of 20 answers at 1024. "
        "Whether another factor reads better was not measured."
    )
    assert found.notes == (
        "llama.cpp cannot be scaled while it runs: no other factor was measured.",
        "llama.cpp gives no logits: perplexity could not be measured.",
    )
    (measured,) = found.measured
    assert measured.perplexity == ()
    assert {cell.context_tokens for cell in measured.retrieval} == {256, 1024}


@pytest.mark.thorough
def test_autogptq_is_measured_and_tried_at_other_factors(host, tmp_path):
    """The shipped model rounded to 4 bits: near to what the workbench measures of it unrounded."""
    need_auto_gptq(host)
    model = tmp_path / "airoboros-tiny-PI-1024-GPTQ"
    command = [str(host.python), str(HERE / "round_model.py"), str(DEMO), str(model)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    arguments = ["--model", model.name, "--loader", "AutoGPTQ", "--no_inject_fused_attention"]
    server = HostOnCpu(host, tmp_path / "run", [model], arguments=arguments)
    try:
        server.wait_until_ready()
        before = server.first_scores(LONG, 1024)
        with chromium_page(1280, 1400) as page:
            said, found = checked_in_page(opened(page, server), (64, 256), seconds=400)
        after = server.first_scores(LONG, 1024)
    finally:
        server.stop()
    assert checking.RIGHT in said
    assert found.notes == ()
    assert [one.scaling.factor for one in found.measured] == [4, 2, 8]
    pairs = zip(found.measured[0].perplexity, checked_in_workbench((64, 256)).measured[0].perplexity, strict=True)
    assert max(abs(math.log(one.perplexity / other.perplexity)) for one, other in pairs) < 0.1
    assert np.array_equal(before["input_ids"], after["input_ids"])
    assert np.array_equal(before["scores"], after["scores"])


@pytest.mark.thorough
def test_with_several_people_anybody_stops_a_check_whose_page_is_gone(start, models):
    arguments = ["--model", models.scaled.name, "--loader", "Transformers", "--multi-user"]
    server = start((models.scaled,), arguments=arguments)
    with chromium_page(1280, 1400) as page:
        mine = opened(page.context.browser.new_page(viewport={"width": 1280, "height": 1400}), server)
        checking.start(mine, ", ".join(map(str, range(1000, 1024))))
        checking.wait_for_share(mine, 0.001)
        other = opened(page, server)
        panel = other.locator(checking.PANEL)
        panel.get_by_text("A check is running; somebody else started it.").wait_for()
        stop = other.get_by_role("button", name="Stop the check")
        assert not stop.is_visible()
        mine.close()
        panel.get_by_text("The page that started this check is gone, so anybody may stop it.").wait_for(timeout=150_000)
        assert stop.is_visible()
        checking.press(other, "Stop the check")
        note = other.locator(f"{checking.RESULT} .airoboros-longctx-note", has_text="stopped after")
        note.first.wait_for(timeout=60_000)
