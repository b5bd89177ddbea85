"""The status line as HTML: the verdict, the reasons, and foreign text that stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from extensions.airoboros_longctx.core.context_plan import ContextPlan, Reason, Suggestion
from extensions.airoboros_longctx.core.load_status import NO_MODEL_STATUS, LoadStatus, Verdict
from extensions.airoboros_longctx.core.mechanisms import PATCH
from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.ui.page_files import panels_js, style_css
from extensions.airoboros_longctx.ui.status_panel import status_html

PLAN = ContextPlan(
    model="airoboros-33b",
    rope_type="linear",
    factor=4.0,
    original_max_position_embeddings=2048,
    max_position_embeddings=8192,
    truncation_length=8192,
    loader="Transformers",
    mechanism=PATCH,
    instruction_template="Airoboros-1.4",
    plainformat_separator="\n",
    stop=("USER:", "ASSISTANT:"),
    warnings=("The key-value cache takes 12 GiB.",),
    reasons=(
        Reason("factor", 'the card says "compress_pos_emb to 4"', "README.md"),
        Reason("loader", "the model is not quantised", "the weight files"),
    ),
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "</dd></dl></details></div><h1>gone</h1>",
    "<!--",
    "&lt;b&gt;",
    "\x00\x1b[31m\u202e",
]


class Reader(HTMLParser):
    """The tags, attributes and text of a fragment."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.mark.parametrize(
    ("verdict", "css_class", "mark"),
    [
        (Verdict.CONFIRMED, "confirmed", "✔"),
        (Verdict.WRONG, "wrong", "✘"),
        (Verdict.LEFT_ALONE, "left-alone", "–"),
        (Verdict.NO_MODEL, "no-model", "–"),
    ],
)
def test_each_verdict_has_its_class_and_its_mark(verdict, css_class, mark):
    shown = status_html(LoadStatus(verdict, "the headline", "the advice", "the model", PLAN))
    assert shown.startswith(f'<div class="airoboros-longctx-status {css_class}" role="status">')
    assert f'<span aria-hidden="true">{mark}</span>' in shown
    assert '<span class="headline">the headline</span>' in shown
    assert '<div class="advice">the advice</div>' in shown
    assert '<span class="name">the model</span>' in shown
    assert not Reader(shown).open
    assert f".{css_class}" in style_css() or css_class in ("no-model", "left-alone")


def test_no_model_says_so_and_nothing_else():
    reader = Reader(status_html(NO_MODEL_STATUS))
    assert reader.text == "– No model is loaded."
    assert "details" not in reader.tags


def test_every_value_is_shown_with_its_reason_and_its_source():
    reader = Reader(status_html(LoadStatus(Verdict.CONFIRMED, "fine", model="m", plan=PLAN)))
    assert 'linear ×4 the card says "compress_pos_emb to 4" (README.md)' in reader.text
    assert "Transformers the model is not quantised (the weight files)" in reader.text
    for value in ("2048 tokens", "8192 tokens", "scaled by this extension", "Airoboros-1.4", "USER:  ASSISTANT:"):
        assert value in reader.text
    assert "Warning: The key-value cache takes 12 GiB." in reader.text
    assert reader.tags.count("details") == 1


def test_a_suggestion_is_shown_as_not_applied():
    plan = replace(PLAN, suggestion=Suggestion(RopeScaling("linear", 8.0, 2048), "the name says <16k>"))
    text = Reader(status_html(LoadStatus(Verdict.LEFT_ALONE, "unscaled", plan=plan))).text
    assert "Suggestion, not applied: linear ×8 for 16384 tokens. the name says <16k>." in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_foreign_text_stays_text(hostile):
    plan = replace(
        PLAN,
        model=hostile,
        loader=hostile,
        instruction_template=hostile,
        weight_file=hostile,
        stop=(hostile,),
        warnings=(hostile,),
        reasons=(Reason("factor", hostile, hostile), Reason("loader", hostile, hostile)),
        suggestion=Suggestion(RopeScaling("linear", 2.0, 2048), hostile),
    )
    shown = status_html(LoadStatus(Verdict.WRONG, hostile, hostile, hostile, plan))
    harmless = status_html(LoadStatus(Verdict.WRONG, "x", "x", "x", replace(plan, weight_file="x")))
    reader = Reader(shown)
    assert not reader.open
    assert set(reader.tags) == {"div", "span", "details", "summary", "dl", "dt", "dd", "b", "p"}
    assert reader.tags == Reader(harmless).tags
    assert reader.attributes == {"class", "role", "aria-hidden"}
    assert reader.text.count(hostile.replace("\x00", "\ufffd")) + reader.text.count(hostile) >= 5


def test_the_script_and_the_style_sheet_name_the_same_button():
    assert "SECONDS" not in panels_js(2.5)
    assert re.search(r"\b2\.5\b", panels_js(2.5))
    assert "airoboros-longctx-refresh" in panels_js(4)
    assert "airoboros-longctx-refresh" in style_css()


def test_the_script_and_the_style_sheet_name_the_same_hidden_fields():
    for name in ("airoboros-longctx-action", "airoboros-longctx-act"):
        assert f"#{name}" in panels_js(4)
        assert f"#{name}" in style_css()
