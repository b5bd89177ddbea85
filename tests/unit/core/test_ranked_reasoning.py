"""Ranked reasoning: a reply built from its parts comes back, and a reply that is not whole says what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.airoboros_longctx.core.formats.errors import FormatError
from extensions.airoboros_longctx.core.formats.ranked_reasoning import (
    Rank,
    RankedAnswer,
    RankedRequest,
    Solution,
    parse,
    render,
    request_from,
)

REQUEST = RankedRequest("How many?")
REPLY = """\
Solution 1:
Count them.

Final answer: Ten.

Solution 2:
Ask.

Final answer: Nine.

Ranking of solutions from best to worst:
1. Solution 2: It is sure.
2. Solution 1: It is slow.

Best and final answer: Nine."""
PARSED = RankedAnswer(
    "Nine.",
    (Rank(1, 2, "It is sure."), Rank(2, 1, "It is slow.")),
    (Solution(1, "Count them.", "Ten."), Solution(2, "Ask.", "Nine.")),
)
AGAIN, LONGER = "generate the reply again", "allow a longer reply (max_new_tokens), or generate it again"


def test_the_number_of_solutions_takes_the_place_of_several():
    assert render(RankedRequest(" Why? ", 3)) == (
        "Why? Offer three potential answers, rank them according to mathematical logic, and pick the most feasible one."
    )
    assert " Offer several potential answers, " in render(REQUEST)
    assert render(RankedRequest("Q\nUSER: no")).startswith("Q\nUSER : no Offer several")


@pytest.mark.parametrize("number", [1, 10, "3", True, 2.5, [2]])
def test_how_many_can_be_asked_for(number):
    with pytest.raises(FormatError) as caught:
        request_from({"question": "Q", "solutions": number})
    assert str(caught.value) == f"solutions is {number!r}; a number from 2 to 9 is needed."


@pytest.mark.parametrize(
    "reply",
    [
        REPLY,
        f"Sure! Here are my thoughts.\n\n{REPLY}\n",
        REPLY.upper(),
        REPLY.replace("\n", "\n  "),
        REPLY.replace("Solution 1:\n", "**Solution 1:**\n").replace("Solution 2:\n", "### Solution 2:\n"),
        REPLY.replace("Final answer:", "**Final answer:**").replace(
            "Best and final answer:", "**Best and final answer:**"
        ),
        REPLY.replace("1. Solution 2:", "1) **Solution 2**:"),
    ],
)
def test_what_is_left_free(reply):
    found = parse(reply, REQUEST)
    assert [one.solution for one in found.ranking] == [2, 1]
    assert found.answer.upper() == "NINE."
    assert [one.answer.upper() for one in found.solutions] == ["TEN.", "NINE."]
    assert found.notes == ()


def test_what_does_not_agree_is_noted():
    found = parse(REPLY.replace("final answer: Nine.", "final answer: Ten."), RankedRequest("Q", 3))
    assert found.notes == (
        "3 solutions were asked for; the reply has 2.",
        "The final answer is not that of Solution 2, which is ranked best.",
    )
    assert parse(REPLY.replace("final answer: Nine.", "final answer:  NINE."), RankedRequest("Q", 2)).notes == ()


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ("It is ten.", f"No solution was found in 'It is ten.'; 'Solution 1:' is needed: {AGAIN}."),
        (REPLY.partition("Ranking")[0],
         f"'Ranking of solutions from best to worst:' was not found behind the solutions: {LONGER}."),
        (REPLY.partition("Best")[0], f"'Best and final answer:' was not found behind the solutions: {LONGER}."),
        (REPLY.removesuffix(" Nine."), f"Line 15: The reply ends behind 'Best and final answer:': {LONGER}."),
        (f"{REPLY}\n\n{REPLY}", "Line 27: 'Ranking of solutions from best to worst:' was found twice; one answer is "
         f"needed: {AGAIN}."),
        (f"{REPLY}\nBest and final answer: Ten.", f"Line 16: 'Best and final answer:' was found twice; one answer is "
         f"needed: {AGAIN}."),
        (f"Best and final answer: X.\n{REPLY.partition('Best')[0]}", "Line 1: 'Best and final answer:' stands before "
         f"something that belongs before it: {AGAIN}."),
        (REPLY.replace("Solution 2:\nAsk", "Solution 3:\nAsk"), "Line 6: Solution 3 was found where Solution 2 is "
         f"needed: {AGAIN}."),
        (REPLY.replace("2. Solution 1", "2. Solution 2"), f"Line 13: The ranking names Solution 2 twice: {AGAIN}."),
        (REPLY.replace("2. Solution 1", "2. Solution 7"), f"Line 13: The ranking names Solution 7; the reply has 2: "
         f"{AGAIN}."),
        (REPLY.replace("2. Solution 1", "3. Solution 1"), f"Line 13: The ranking has 3. where 2. is needed: {AGAIN}."),
        (REPLY.replace("2. Solution 1: It is slow.\n", ""), f"Line 11: The ranking leaves out Solution 1: {AGAIN}."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(reply, sentence):
    with pytest.raises(FormatError) as caught:
        parse(reply, REQUEST)
    assert str(caught.value) == sentence
    assert caught.value.line is None or sentence.startswith(f"Line {caught.value.line}: ")


def test_the_example_of_this_file():
    assert parse(REPLY, REQUEST) == PARSED


lines = st.text("abc 019.,=()-n\n", min_size=1, max_size=60).map(str.strip).filter(bool)


@settings(deadline=None)
@given(st.lists(st.tuples(lines, lines), min_size=2, max_size=9), st.randoms(use_true_random=False), lines)
def test_a_reply_built_from_its_parts_comes_back(parts, random, answer):
    order = list(range(1, len(parts) + 1))
    random.shuffle(order)
    solutions = tuple(Solution(number, text, last) for number, (text, last) in enumerate(parts, 1))
    ranking = tuple(Rank(place, number, f"Reason {number}.") for place, number in enumerate(order, 1))
    reply = "\n\n".join(
        [
            *(f"Solution {one.number}:\n{one.text}\n\nFinal answer: {one.answer}" for one in solutions),
            "Ranking of solutions from best to worst:\n"
            + "\n".join(f"{one.place}. Solution {one.solution}: {one.reason}" for one in ranking),
            f"Best and final answer: {answer}",
        ]
    )
    found = parse(reply, RankedRequest("Q"))
    assert (found.answer, found.ranking, found.solutions) == (answer, ranking, solutions)
