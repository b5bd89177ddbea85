"""The budget bar: a segment for each part and each document, numbers as text, and the window's end."""

from __future__ import annotations

import re

import pytest

from extensions.airoboros_longctx.prompt_service import PromptBudget
from extensions.airoboros_longctx.ui.documents.budget_bar import budget_bar

FITS = PromptBudget(window=1024, preamble=52, documents=(60, 31), history=10, question=26, reply=64)
OVER = PromptBudget(window=1024, preamble=52, documents=(1764,), history=0, question=26, reply=64)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def widths(html: str) -> list[tuple[str, float]]:
    return [(name, float(width)) for name, width in re.findall(r'class="part ([^"]+)".*?width:([\d.]+)%', html)]


def test_every_number_is_there_as_text():
    said = words(budget_bar(FITS))
    assert "Preamble 52 Documents 91 History 10 Question 26 Reserved reply 64 Free 781" in said
    assert said.endswith("1024 tokens in all.")


def test_each_document_has_a_segment_of_its_own_with_its_name():
    html = budget_bar(FITS, ["Harbor <b>", "Tower"])
    assert [name for name, _ in widths(html)][1:3] == ["document shade-0", "document shade-1"]
    assert 'title="Harbor &lt;b&gt;: 60 tokens"' in html
    assert 'title="Tower: 31 tokens"' in html
    assert 'title="Document 2: 31 tokens"' in budget_bar(FITS, ["Harbor"])


@pytest.mark.parametrize("budget", [FITS, OVER])
def test_the_parts_fill_the_bar(budget):
    assert sum(width for _, width in widths(budget_bar(budget))) == pytest.approx(100, abs=0.01)


def test_what_does_not_fit_is_said_and_the_window_ends_in_the_bar():
    html = budget_bar(OVER, gives_way=["Document 1 is <shortened>."])
    assert "882 tokens too many. Document 1 is &lt;shortened&gt;." in html
    assert float(re.search(r"window-end.*?left:([\d.]+)%", html).group(1)) == pytest.approx(100 * 1024 / 1906, abs=0.01)
    assert "Free 0" in words(html)
    assert "too many" not in budget_bar(FITS)


def test_an_estimate_is_called_one():
    assert "1024 tokens in all; estimated: no tokenizer is at hand." in words(budget_bar(FITS, estimated=True))


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "1 sign in the documents that the model would read as structure was made harmless."),
        (3, "3 signs in the documents that the model would read as structure were made harmless."),
    ],
)
def test_what_was_made_harmless_is_counted(count, sentence):
    budget = PromptBudget(1024, 52, (91,), 10, 26, 64, defused=count)
    assert sentence in words(budget_bar(budget))
    assert "harmless" not in words(budget_bar(FITS))
