"""Ranked reasoning (chain of thought): several solutions, their ranking, and the best and final answer.

The sentence and the form of the reply are the example of the 2.0 and m2.0 model cards
(https://huggingface.co/jondurbin/airoboros-65b-gpt4-m2.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..foreign_text import quoted, quoted_value
from ..prompts.look_alikes import defuse_text
from .errors import FormatError
from .form_field import NUMBER, TEXT, FormField
from .request_fields import checked_fields, required_text

NAME = "ranked_reasoning"
TITLE = "Ranked reasoning"
FEWEST, MOST = 2, 9
DESCRIPTION = "The model gives several solutions, ranks them and picks one: for questions with a logical answer."
SOURCE = "https://huggingface.co/jondurbin/airoboros-65b-gpt4-m2.0"
FIELDS = (
    FormField("question", "Question", TEXT),
    FormField("solutions", f"Number of solutions, {FEWEST} to {MOST}", NUMBER, required=False),
)
_SENTENCE = (
    "Offer {number} potential answers, rank them according to mathematical logic, and pick the most feasible one."
)
_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")
_AGAIN = "generate the reply again"
_LONGER = "allow a longer reply (max_new_tokens), or generate it again"
#: A heading may be in bold or a Markdown heading; nothing else but its colon is left free.
_HEAD, _TAIL = r"^[ \t]*(?:#{1,6}[ \t]+)?(?:\*\*)?", r"[ \t]*(?:\*\*[ \t]*)?:[ \t]*(?:\*\*)?"
_FLAGS = re.MULTILINE | re.IGNORECASE
_SOLUTION = re.compile(rf"{_HEAD}Solution[ \t]+#?(\d{{1,3}}){_TAIL}", _FLAGS)
_RANKING = re.compile(rf"{_HEAD}Ranking of (?:the )?solutions from best to worst{_TAIL}", _FLAGS)
_BEST = re.compile(rf"{_HEAD}Best and final answer{_TAIL}", _FLAGS)
_ANSWER = re.compile(rf"{_HEAD}Final answer{_TAIL}", _FLAGS)
_RANK = re.compile(r"^[ \t]*(\d{1,3})[.)][ \t]+(?:\*\*)?Solution[ \t]+#?(\d{1,3})", _FLAGS)


@dataclass(frozen=True)
class RankedRequest:
    """``solutions`` asks for that many, 2 to 9; None for "several", which is the trained word."""

    question: str
    solutions: int | None = None


@dataclass(frozen=True)
class Solution:
    """``answer`` is what stands behind its "Final answer:", "" where it states none; ``text`` is all before that."""

    number: int
    text: str
    answer: str


@dataclass(frozen=True)
class Rank:
    """One place of the ranking, the best is 1."""

    place: int
    solution: int
    reason: str


@dataclass(frozen=True)
class RankedAnswer:
    """``notes`` are sentences on what does not agree: the number of solutions, or the final answer with the best."""

    answer: str
    ranking: tuple[Rank, ...]
    solutions: tuple[Solution, ...]
    notes: tuple[str, ...] = ()


def request_from(data: Mapping[str, Any]) -> RankedRequest:
    """``question``, and if need be ``solutions``, a number. Raises FormatError."""
    checked_fields(data, ("question",), ("solutions",), TITLE)
    request = RankedRequest(required_text(data, "question"), data.get("solutions"))
    _validate(request)
    return request


def render(request: RankedRequest) -> str:
    """The question, a blank, and the trained sentence; marks of structure in the question are broken visibly."""
    _validate(request)
    number = "several" if request.solutions is None else _WORDS[request.solutions - FEWEST]
    return f"{defuse_text(request.question.strip())[0]} {_SENTENCE.format(number=number)}"


def _validate(request: RankedRequest) -> None:
    if not request.question.strip():
        raise FormatError("The question is empty; a question that can be answered in several ways is needed.")
    number = request.solutions
    if number is not None and (type(number) is not int or not FEWEST <= number <= MOST):
        raise FormatError(f"solutions is {quoted_value(number, 60)}; a number from {FEWEST} to {MOST} is needed.")


def parse(reply: str, request: RankedRequest) -> RankedAnswer:
    """The solutions, the ranking and the answer. Raises FormatError with the line where one is missing, stands twice or
    names a solution that there is not.
    """
    text = reply.replace("\r\n", "\n")
    heads = list(_SOLUTION.finditer(text))
    if not heads:
        raise FormatError(f"No solution was found in {quoted(reply, 60)!r}; 'Solution 1:' is needed: {_AGAIN}.")
    ranking = _one(_RANKING, text, heads[-1].end(), "Ranking of solutions from best to worst:")
    best = _one(_BEST, text, ranking.end(), "Best and final answer:")
    ends = [*(head.start() for head in heads[1:]), ranking.start()]
    solutions = tuple(_solution(text, head, end) for head, end in zip(heads, ends, strict=True))
    for place, (solution, head) in enumerate(zip(solutions, heads, strict=True), 1):
        if solution.number != place:
            found = f"Solution {solution.number} was found where Solution {place} is needed"
            raise FormatError(f"{found}: {_AGAIN}.", _line(text, head.start(1)))
    ranks = _ranks(text, ranking.end(), best.start(), len(solutions))
    answer = text[best.end() :].strip().removesuffix("**").rstrip()
    if not answer:
        raise FormatError(f"The reply ends behind 'Best and final answer:': {_LONGER}.", _line(text, best.start()))
    return RankedAnswer(answer, ranks, solutions, _notes(answer, ranks, solutions, request))


def _one(heading: re.Pattern[str], text: str, behind: int, name: str) -> re.Match[str]:
    found = list(heading.finditer(text))
    if not found:
        raise FormatError(f"{name!r} was not found behind the solutions: {_LONGER}.")
    if len(found) > 1:
        raise FormatError(f"{name!r} was found twice; one answer is needed: {_AGAIN}.", _line(text, found[1].start()))
    if found[0].start() < behind:
        line = _line(text, found[0].start())
        raise FormatError(f"{name!r} stands before something that belongs before it: {_AGAIN}.", line)
    return found[0]


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _solution(text: str, head: re.Match[str], end: int) -> Solution:
    answers = list(_ANSWER.finditer(text, head.end(), end))
    stop = answers[-1].start() if answers else end
    answer = text[answers[-1].end() : end].strip().removesuffix("**").rstrip() if answers else ""
    return Solution(int(head[1]), text[head.end() : stop].strip(), answer)


def _ranks(text: str, begin: int, end: int, number: int) -> tuple[Rank, ...]:
    heads = list(_RANK.finditer(text, begin, end))
    ends = [*(head.start() for head in heads[1:]), end]
    ranks: list[Rank] = []
    for place, (head, stop) in enumerate(zip(heads, ends, strict=True), 1):
        if int(head[1]) != place:
            sentence = f"The ranking has {head[1]}. where {place}. is needed: {_AGAIN}."
            raise FormatError(sentence, _line(text, head.start(1)))
        solution = int(head[2])
        if not 1 <= solution <= number or any(rank.solution == solution for rank in ranks):
            what = " twice" if 1 <= solution <= number else f"; the reply has {number}"
            raise FormatError(f"The ranking names Solution {solution}{what}: {_AGAIN}.", _line(text, head.start(2)))
        ranks.append(Rank(place, solution, text[head.end() : stop].strip().lstrip(":*-– \t").strip()))
    if len(ranks) < number:
        left = ", ".join(str(one) for one in range(1, number + 1) if all(rank.solution != one for rank in ranks))
        raise FormatError(f"The ranking leaves out Solution {left}: {_AGAIN}.", _line(text, begin))
    return tuple(ranks)


def _notes(
    answer: str, ranks: Sequence[Rank], solutions: Sequence[Solution], request: RankedRequest
) -> tuple[str, ...]:
    notes = []
    if request.solutions not in (None, len(solutions)):
        notes.append(f"{request.solutions} solutions were asked for; the reply has {len(solutions)}.")
    best = solutions[ranks[0].solution - 1]
    if best.answer and best.answer.casefold().split() != answer.casefold().split():
        notes.append(f"The final answer is not that of Solution {best.number}, which is ranked best.")
    return tuple(notes)
