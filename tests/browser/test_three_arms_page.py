"""The three arms of tests/host/test_three_arms.py as a person would try them: in the Notebook tab of the real page."""

from __future__ import annotations

import time

import pytest

from tests.browser.chromium import chromium_page
from tests.host.conftest import WINDOW
from tests.host.test_three_arms import ARMS, REPLY_TOKENS, questions

__all__ = ["questions"]
pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.thorough]
TRIED = 3


def generate(page, prompt):
    """Type a prompt into the Notebook, generate, and return what was added."""
    page.get_by_role("tab", name="Notebook", exact=True).first.click()
    text = page.locator("textarea:visible").first
    text.fill(prompt)
    page.get_by_role("button", name="Generate", exact=True).click()
    last, since = prompt, time.monotonic()
    while time.monotonic() - since < 40:
        now = text.input_value()
        if now != last:
            last, since = now, time.monotonic()
        elif now != prompt and time.monotonic() - since > 3:
            break
        page.wait_for_timeout(200)
    return last[len(prompt) :].strip().split("\n")[0].rstrip(".").split(" ")[-1]


@pytest.mark.parametrize("arm", ARMS)
def test_right_only_with_us(host, start, models, questions, arm):
    if not (host.webui / "modules" / "api").is_dir():
        pytest.skip(f"{host.name} has the page of 2023; the arms are tried through its API")
    options = dict(ARMS[arm])
    options["settings"] = f"max_new_tokens: {REPLY_TOKENS}\ndo_sample: false\n" + options.get("settings", "")
    server = start(models.all(), arguments=["--model", models.scaled.name, "--loader", "Transformers"], **options)
    with chromium_page() as page:
        page.goto(server.url, wait_until="domcontentloaded")
        page.locator("#chat-input textarea").first.wait_for(state="visible", timeout=120_000)
        page.get_by_role("tab", name="Parameters", exact=True).click()
        length = page.get_by_label("Truncate the prompt up to this length").first
        length.fill(str(WINDOW))
        length.press("Tab")
        said = [generate(page, question.prompt) for question in questions[:TRIED]]
    server.stop()
    right = sum(word == question.value for word, question in zip(said, questions, strict=False))
    assert right == (TRIED if arm == "with us" else 0), said
