"""The budget bar: numbers as text, the window's end, and what gives way."""

from __future__ import annotations

import re

import pytest

from extensions.airoboros_longctx.core.token_budget import Shortened
from extensions.airoboros_longctx.prompt_service import BuiltPrompt, PromptBudget
from extensions.airoboros_longctx.ui.documents.budget_bar import budget_bar, what_gave_way

FITS = PromptBudget(window=1024, preamble=52, documents=91, history=10, question=26, reply=64)
OVER = PromptBudget(window=1024, preamble=52, documents=1764, history=0, question=26, reply=64)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def widths(html: str) -> dict[str, float]:
    return {name: float(width) for name, width in re.findall(r'part (\w+)" style="width:([\d.]+)%', html)}


def test_every_number_is_there_as_text():
    said = words(budget_bar(FITS))
    assert "Preamble 52 Documents 91 History 10 Question 26 Reserved reply 64 Free 781" in said
    assert "1024 tokens in all." in said
    assert "too many" not in said


@pytest.mark.parametrize("budget", [FITS, OVER])
def test_the_parts_fill_the_bar(budget):
    assert sum(widths(budget_bar(budget)).values()) == pytest.approx(100, abs=0.01)


def test_what_does_not_fit_is_said_and_the_window_ends_in_the_bar():
    html = budget_bar(OVER, gives_way=["Document 1 is <shortened>."])
    assert "882 tokens too many. Document 1 is &lt;shortened&gt;." in html
    assert 'role="alert"' in html
    assert float(re.search(r"window-end.*?left:([\d.]+)%", html).group(1)) == pytest.approx(100 * 1024 / 1906, abs=0.01)
    assert "Free 0" in words(html)
    assert "the documents are shortened" in words(budget_bar(OVER)).lower()


def test_a_question_that_fills_the_window_alone():
    alone = PromptBudget(window=100, preamble=40, documents=5, history=0, question=30, reply=30)
    assert "alone fill the window" in words(budget_bar(alone))


def test_the_history_gives_way_first():
    with_history = PromptBudget(window=100, preamble=10, documents=50, history=50, question=10, reply=10)
    assert "oldest turns of the chat are left out first" in words(budget_bar(with_history))


def test_an_estimate_is_called_one():
    assert "estimated: no model is loaded" in words(budget_bar(FITS, estimated=True))


@pytest.mark.parametrize(("count", "sentence"), [(1, "1 sign in the documents"), (3, "3 signs in the documents")])
def test_what_was_made_harmless_is_counted(count, sentence):
    budget = PromptBudget(1024, 52, 91, 10, 26, 64, defused=count)
    assert sentence in words(budget_bar(budget))
    assert "harmless" not in words(budget_bar(FITS))


def built(dropped: int, *shortened: Shortened) -> BuiltPrompt:
    return BuiltPrompt("", "", 0, 0, dropped, shortened=shortened)


@pytest.mark.parametrize(
    ("prompt", "sentences"),
    [
        (built(0), []),
        (built(1), ["The oldest turn of the chat is left out."]),
        (built(4), ["The 4 oldest turns of the chat are left out."]),
        (
            built(0, Shortened(1, 100, 900)),
            ["Document 2 of those that are on keeps its first 100 of 900 characters."],
        ),
    ],
)
def test_what_gave_way(prompt, sentences):
    assert what_gave_way(prompt) == sentences


def test_many_shortened_documents_are_summed_up():
    sentences = what_gave_way(built(0, *(Shortened(number, 1, 2) for number in range(5))))
    assert len(sentences) == 4
    assert sentences[-1] == "2 more are shortened."
