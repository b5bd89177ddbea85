"""A result as HTML: its words, its numbers, its files, and nothing alive of what strangers wrote."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from extensions.airoboros_longctx.core.checking.check_result import (
    CheckProgress,
    CheckVerdict,
    PerplexityPoint,
    ScalingMeasured,
)
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.ui.checking.result_html import progress_html, result_html, tables_html
from tests.unit.ui.checking.conftest import MEASURED, result

UNSCALED = ScalingMeasured(
    RopeScaling("default", 1, 256), (PerplexityPoint(64, 9.6, 100), PerplexityPoint(1024, float("inf"), 100))
)
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='x", "</details>"]


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (5399, "1 h 30 min"), (3600, "60 min")],
)
def test_time_left_is_in_words(seconds, words):
    assert f"<p>50% · about {words} left · reading</p>" in progress_html(CheckProgress(0.5, seconds, "reading"))


def test_progress_before_the_first_step_and_beyond_its_end():
    assert "<p>0% · Getting ready</p>" in progress_html(None)
    assert 'value="1.0000"' in progress_html(CheckProgress(1.2, 0.0, "x"))


def test_verdict_is_a_status_in_words_with_the_facts():
    shown = result_html(result(), {}, {}, {})
    assert 'class="airoboros-longctx-check-verdict right" role="status"' in shown
    assert "linear ×4 is right." in shown
    assert "tiny · Transformers · linear ×4 · window 1024 tokens · text: a text · took 12 s" in shown
    assert "So and so." in shown


def test_stopped_check_says_so():
    assert "stopped after 12 s" in result_html(result(stopped=True), {}, {}, {})


def test_tables_have_a_column_for_each_scaling_and_each_length():
    text = html.unescape(re.sub(r"<[^>]+>", "|", tables_html(result(measured=(MEASURED, UNSCALED)))))
    cells = [cell for cell in text.split("|") if cell]
    assert cells == [
        *["Perplexity", "Context (tokens)", "×4 (as loaded)", "no scaling"],
        *["64", "9.50", "9.60", "1024", "8.25", "> 10⁶"],
        *["Passkeys found again, linear ×4", "Depth", "1024 tokens", "0%", "2 of 2", "100%", "1 of 2"],
    ]


def test_files_are_in_their_links_to_the_byte():
    shown = result_html(result(), {}, {}, {"table.md": "×4\n".encode(), "perplexity.png": b"\x89PNG\0"})
    links = dict(re.findall(r'<a download="([^"]+)" href="([^"]+)">', shown))
    assert {name: base64.b64decode(link.partition(",")[2]) for name, link in links.items()} == {
        "airoboros_longctx-table.md": "×4\n".encode(),
        "airoboros_longctx-perplexity.png": b"\x89PNG\0",
    }
    assert links["airoboros_longctx-perplexity.png"].startswith("data:image/png;base64,")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_foreign_text_makes_no_tag_and_no_attribute(hostile):
    verdict = CheckVerdict("right", hostile)
    foreign = replace(
        result(hostile), loader=hostile, text_name=hostile, method=hostile, notes=(hostile,), verdict=verdict
    )
    plain = replace(result("m"), loader="l", text_name="t", method="m", notes=("n",))
    shown, harmless = (Tags(result_html(one, {}, {}, {}, ["note"])) for one in (foreign, plain))
    assert (shown.tags, shown.attributes) == (harmless.tags, harmless.attributes)
    assert shown.text.count(hostile) >= 5
