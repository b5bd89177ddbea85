"""With --multi-user: nobody's documents or ticks reach anyone else."""

from __future__ import annotations

import pytest

from tests.browser.chromium import chromium_page
from tests.browser.document_list import titles
from tests.browser.test_webui_documents import add, open_page, panel, send, settled

pytestmark = [pytest.mark.browser, pytest.mark.host, pytest.mark.slow]


def test_two_people_at_once(newest, start, models, host):
    arguments = ["--model", models.scaled.name, "--loader", "Transformers", "--multi-user"]
    server = start((models.scaled,), arguments=arguments, settings="mode: instruct\nmax_new_tokens: 48\n")
    with chromium_page(1280, 1400) as page:
        open_page(page, server, host)
        add(page, "Mine", "", "The color of the harbor is teal.")
        send(page, "What is the color of the harbor?")
        assert "teal" in settled(page)
        other = open_page(page.context.browser.new_page(viewport={"width": 1280, "height": 1400}), server, host)
        assert titles(other) == []
        panel(page).get_by_text("Used in whatever chat this page shows, and kept while it is open.").wait_for()
        add(other, "Yours", "", "The color of the harbor is red.")
        send(other, "What is the color of the harbor?")
        assert "red" in settled(other)
        assert (titles(page), titles(other)) == (["Mine"], ["Yours"])
