"""With kept prompts a model says, token by token, what it says without."""

from __future__ import annotations

import random

import pytest

from tests.unit.prefix_cache.kept_llama import Kept, prompt, tiny_llama


def test_a_second_question_reads_only_what_is_new(kept):
    text = prompt(100)
    first, second = [*text, 5, 6, 7], [*text, 8, 9]
    assert kept.ask(first) == kept.stock(first)
    assert kept.generate.last == (0, 103)
    assert kept.ask(second) == kept.stock(second)
    assert kept.generate.last == (100, 2)


def test_the_same_prompt_again_reads_its_last_token_alone(kept):
    text = prompt(50)
    assert kept.ask(text) == kept.ask(text) == kept.stock(text)
    assert kept.generate.last == (49, 1)


def test_a_beginning_of_what_is_kept(kept):
    text = prompt(90)
    kept.ask(text)
    assert kept.ask(text[:60]) == kept.stock(text[:60])
    assert kept.generate.last == (59, 1)


@pytest.mark.parametrize("seed", range(5))
def test_fifty_prompts_with_shared_beginnings(seed):
    kept = Kept(tiny_llama(seed), chunk=random.Random(seed).choice((7, 16, 64)))
    source = random.Random(seed)
    trunks = [prompt(source.randint(20, 200), seed=number) for number in range(4)]
    reused = 0
    for _ in range(10):
        trunk = source.choice(trunks)
        asked = trunk[: source.randint(10, len(trunk))] + prompt(source.randint(0, 40), seed=source.randint(0, 3))
        assert kept.ask(asked) == kept.stock(asked), asked
        reused += kept.generate.last[0]
    assert reused > 100
    assert kept.generate.left_alone == {}
