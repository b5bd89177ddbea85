"""Documents give way to the budget: fairly, visibly, and nothing but their text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.closed_context import ClosedContext, Document, render
from extensions.airoboros_longctx.core.token_budget import DoesNotFitError, fit_to_budget

TEXT = "The harbor is teal. The tower is red. " * 100


def words(text: str) -> int:
    return len(text.split())


def fit(context: ClosedContext, budget: int, counter=words):
    return fit_to_budget(context, budget, render, counter)


def test_what_fits_stays_as_it_is():
    context = ClosedContext((Document(TEXT, (("url", "u"),)), Document("Short.")), "Q?")
    fitted = fit(context, 10_000)
    assert (fitted.context, fitted.shortened) == (context, ())
    assert fitted.prompt == render(context)
    assert fitted.tokens == words(render(context))


def test_the_long_document_gives_and_the_short_one_stays_whole():
    context = ClosedContext((Document(TEXT, (("url", "u"),)), Document("Short and whole.")), "  Q?  ")
    fitted = fit(context, 200)
    assert 150 <= fitted.tokens <= 200
    assert [one.document for one in fitted.shortened] == [0]
    long, short = fitted.context.documents
    assert short == context.documents[1]
    assert long.metadata == (("url", "u"),)
    assert fitted.context.instruction == "  Q?  "
    kept = fitted.shortened[0].kept_characters
    assert long.text == f"{TEXT[:kept].rstrip()}\n[… {len(TEXT) - kept} characters left out …]"


def test_equal_documents_give_alike():
    context = ClosedContext((Document(TEXT), Document(TEXT), Document(TEXT)), "Q?")
    fitted = fit(context, 300)
    kept = [one.kept_characters for one in fitted.shortened]
    assert len(kept) == 3
    assert max(kept) == min(kept)


def test_a_refusal_has_the_numbers():
    context = ClosedContext((Document(TEXT),), "word " * 50)
    with pytest.raises(DoesNotFitError) as error:
        fit(context, 40)
    assert "the window leaves 40 for the prompt" in str(error.value)
    assert "take 7" in str(error.value) or "take 6" in str(error.value)
    assert "Ask a shorter question, switch documents off, or reserve fewer tokens for the reply." in str(error.value)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("ab .\n日🙂"), max_size=2000), min_size=1, max_size=4),
    st.integers(1, 2000),
    st.sampled_from([len, words, lambda text: len(text.encode()), lambda text: len(text) // 3 + text.count("a") % 7]),
)
def test_the_budget_holds_for_any_counter_and_only_text_changes(texts, budget, counter):
    context = ClosedContext(tuple(Document(text, (("k", "v"),)) for text in texts), "Ask\nthis.")
    try:
        fitted = fit(context, budget, counter)
    except DoesNotFitError:
        return
    assert counter(fitted.prompt) == fitted.tokens <= budget
    assert fitted.prompt == render(fitted.context)
    assert fitted.context.instruction == context.instruction
    assert [one.metadata for one in fitted.context.documents] == [one.metadata for one in context.documents]
    for number, (before, after) in enumerate(zip(context.documents, fitted.context.documents, strict=True)):
        cut = [one for one in fitted.shortened if one.document == number]
        assert (after.text == before.text) == (not cut)


def test_the_counter_is_asked_a_few_times_only():
    asked = []

    def counter(text: str) -> int:
        asked.append(len(text))
        return len(text) // 4

    fit(ClosedContext((Document("word " * 200_000),), "Q?"), 8000, counter)
    assert len(asked) <= 20
