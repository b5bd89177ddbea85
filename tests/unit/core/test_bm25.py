"""BM25: an example computed by hand, another implementation, and what counts as a word."""

from __future__ import annotations

import math
import random
import re

import pytest

from extensions.airoboros_longctx.core.packing.bm25 import (
    MOST_TERMS,
    bm25_scores,
    fold,
    query_terms,
    term_frequencies,
)


def frequencies(texts: list[str], terms: tuple[str, ...]) -> list[dict[int, int]]:
    folded, begins = "", []
    for text in texts:
        begins.append(len(folded))
        folded += f"{fold(text)}\n"
    return [dict(term_frequencies(folded, begins, term)) for term in terms]


def test_an_example_by_hand():
    texts = ["the harbor is teal", "the harbor and the harbor wall", "a red tower"]
    counts = frequencies(texts, ("harbor", "teal"))
    assert counts == [{0: 1, 1: 2}, {0: 1}]
    scores = bm25_scores(counts, [4, 6, 3])
    # average length 13 / 3; ln(1 + (3 - 2 + 0.5) / 2.5) = ln 1.6; ln(1 + (3 - 1 + 0.5) / 1.5) = ln(8 / 3)
    of_first = 1.2 * (0.25 + 0.75 * 4 / (13 / 3))
    of_second = 1.2 * (0.25 + 0.75 * 6 / (13 / 3))
    assert scores == pytest.approx(
        {
            0: math.log(1.6) * 1 / (1 + of_first) + math.log(8 / 3) * 1 / (1 + of_first),
            1: math.log(1.6) * 2 / (2 + of_second),
        },
        rel=1e-12,
    )
    assert scores == pytest.approx({0: 0.68090, 1: 0.26508}, abs=1e-5)


def test_another_implementation_gives_the_same_scores():
    bm25s = pytest.importorskip("bm25s")
    source = random.Random(5)
    words = [f"word{number}x" for number in range(60)]
    texts = [" ".join(source.choices(words, k=source.randint(5, 80))) for _ in range(200)]
    terms = tuple(source.sample(words, 6))
    retriever = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    retriever.index([text.split() for text in texts], show_progress=False)
    theirs = retriever.get_scores(list(terms))
    ours = bm25_scores(frequencies(texts, terms), [len(text.split()) for text in texts])
    assert [ours.get(number, 0.0) for number in range(len(texts))] == pytest.approx(list(theirs), rel=1e-5)


def test_the_order_is_rank_bm25s_where_no_term_is_in_most_passages():
    """BM25Okapi with k1 = 1.2 has the factor k1 + 1 and another idf: for one term the order is the same."""
    rank_bm25 = pytest.importorskip("rank_bm25")
    source = random.Random(6)
    words = [f"word{number}x" for number in range(300)]
    texts = [" ".join(source.choices(words, k=source.randint(20, 80))) for _ in range(200)]
    theirs = rank_bm25.BM25Okapi([text.split() for text in texts], k1=1.2, b=0.75).get_scores(["word7x"])
    ours = bm25_scores(frequencies(texts, ("word7x",)), [len(text.split()) for text in texts])
    idf_theirs = theirs[max(ours, key=lambda number: ours[number])] / max(ours.values())
    assert [ours.get(number, 0.0) * idf_theirs for number in range(len(texts))] == pytest.approx(list(theirs), rel=1e-9)


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("What color are the Harbors?", ("color", "harbor")),
        ("Is it a bus, glass or a thesis?", ("bus", "glass", "thesis")),
        ("HARBOR harbor Harbors", ("harbor",)),
        ("Boxes, churches and houses", ("box", "church", "house")),
        ("What did §3.5 say in 2021?", ("3", "5", "2021")),
        ("Who is it?", ()),
        ("", ()),
        ("Wo liegt der Hafen über Ägypten?", ("wo", "liegt", "der", "hafen", "über", "ägypten")),
        ("東京の港", ("東京", "京の", "の港")),
        ("港", ("港",)),
        ("snake_case İstanbul", ("snake", "case", "istanbul")),
    ],
)
def test_the_words_that_are_looked_for(question, terms):
    assert query_terms(question) == terms


def test_a_pasted_text_is_not_looked_for_word_by_word():
    assert len(query_terms(" ".join(f"word{number}x" for number in range(1000)))) == MOST_TERMS


@pytest.mark.parametrize(
    ("term", "text", "count"),
    [
        ("harbor", "Harbor harbors HARBOR'S harbor.", 4),
        ("harbor", "harborside outharbor harbour harborss", 0),
        ("box", "box boxes boxs boxing", 3),
        ("harbor", "harbor_side the_harbor", 2),
        ("3", "3 33 3.3 a3", 3),
        ("über", "ÜBER über darüber", 2),
        ("東京", "東京都と東京", 2),
    ],
)
def test_what_is_counted(term, text, count):
    assert sum(term_frequencies(fold(text), [0], term).values()) == count


def test_folding_keeps_every_place():
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x30000)]))
    assert len(fold(every)) == len(every)
    assert not re.search("[A-Z]", fold(every))
