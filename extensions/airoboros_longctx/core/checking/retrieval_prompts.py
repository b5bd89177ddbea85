"""Prompts whose answer stands at a chosen depth, of a chosen length in tokens.

The passkey task is that of Mohtashami and Jaggi, "Landmark Attention" (arXiv:2305.16300): a random number, stated once
in text that says nothing. The questions are over small facts, one of which is asked for. Both are closed-context
questions as the models were trained on them (``core/prompts``), and of both the reply is begun ("The pass key of the
door is"), so that what remains is the answer itself and nothing depends on how a model likes to put it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..prompts.closed_context import ClosedContext, Document, render
from ..prompts.instruction_templates import InstructionTemplate, render_conversation
from .check_result import PASSKEY, QUESTION
from .small_facts import NOUNS, SmallFact, random_fact, small_facts

#: Below this most of the prompt would be template.
SHORTEST_PROMPT = 256
_NOISE = (
    "The fields are wide.",
    "The hills are far away.",
    "The path goes on.",
    "It leads there and it leads back.",
)


@dataclass(frozen=True)
class RetrievalPrompt:
    """``text`` is the whole prompt with the reply begun; ``answer``, a blank first, is how a right reply goes on."""

    kind: str
    context_tokens: int
    depth: float
    text: str
    answer: str


def retrieval_prompts(
    length: int,
    depths: Sequence[float],
    prompts: int,
    template: InstructionTemplate,
    count_tokens: Callable[[str], int],
    seed: int,
) -> list[RetrievalPrompt]:
    """``prompts`` of each kind at each depth that fill ``length`` tokens, the answer's included, as far as whole
    sentences do. The same arguments make the same prompts. None where ``length`` is below 256."""
    if length < SHORTEST_PROMPT:
        return []
    made = []
    for kind, build in ((PASSKEY, _passkey), (QUESTION, _question)):
        guess = length // 10
        for depth in depths:
            for number in range(prompts):
                rng = random.Random(f"{seed} {kind} {length} {depth} {number}")
                around = build(rng, depth, template)
                sentences = _most_sentences(around, length, guess, count_tokens)
                if sentences is not None:
                    made.append(RetrievalPrompt(kind, length, depth, *around(sentences)))
                    guess = sentences
    return made


#: Makes (prompt, answer) around a number of sentences.
_Build = Callable[[int], tuple[str, str]]


def _most_sentences(build: _Build, length: int, guess: int, count_tokens: Callable[[str], int]) -> int | None:
    """The most sentences with which what ``build`` makes fits ``length``; None where even none does not fit.

    Galloping from ``guess``: where that is right, two counts are enough.
    """

    def fits(sentences: int) -> bool:
        return count_tokens("".join(build(sentences))) <= length

    low, high, step = guess, 0, 1
    while not fits(low):
        if low == 0:
            return None
        low, high, step = max(0, low - step), low, 2 * step
    step = 1
    while high != low + 1:
        middle = (low + high) // 2 if high else low + step
        if fits(middle):
            low, step = middle, 2 * step
        else:
            high = middle
    return low


def _passkey(rng: random.Random, depth: float, template: InstructionTemplate) -> _Build:
    key = SmallFact("pass key", "door", str(rng.randint(1000, 9999)))

    def build(sentences: int) -> tuple[str, str]:
        noise = [_NOISE[number % len(_NOISE)] for number in range(sentences)]
        noise.insert(round(depth * sentences), key.sentence)
        return _asked(" ".join(noise), key, template)

    return build


def _question(rng: random.Random, depth: float, template: InstructionTemplate) -> _Build:
    asked = random_fact(rng, rng.choice(NOUNS))
    others = [fact for fact in small_facts(rng) if fact.noun != asked.noun]

    def build(sentences: int) -> tuple[str, str]:
        facts = [others[number % len(others)] for number in range(sentences)]
        facts.insert(round(depth * sentences), asked)
        return _asked(" ".join(fact.sentence for fact in facts), asked, template)

    return build


def _asked(text: str, fact: SmallFact, template: InstructionTemplate) -> tuple[str, str]:
    message = render(ClosedContext((Document(text, (("source", "register"),)),), fact.question))
    return render_conversation(template, message) + fact.beginning, f" {fact.value}"
