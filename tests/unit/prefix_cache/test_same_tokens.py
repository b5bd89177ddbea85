"""With kept prompts a model says, token by token, what it says without."""

from __future__ import annotations

import random

import pytest
import torch
import transformers

from extensions.airoboros_longctx.prefix_cache.key_values import cache_class
from extensions.airoboros_longctx.prefix_cache.plain_prompt import why_model_is_not_kept
from tests.unit.prefix_cache.kept_llama import Kept, prompt, tiny_llama

SMALL = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.2,
    "bos_token_id": 1,
    "eos_token_id": None,
    "pad_token_id": None,
}


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


@pytest.mark.parametrize("name", ["Mistral", "Qwen2", "Qwen3"])
def test_other_architectures(name):
    config_class, model_class = (getattr(transformers, f"{name}{part}", None) for part in ("Config", "ForCausalLM"))
    if config_class is None or cache_class() is None:
        pytest.skip(f"this Transformers has no {name}, or none without a sliding window")
    torch.manual_seed(3)
    config = config_class(**SMALL, sliding_window=None, **({"head_dim": 16} if name == "Qwen3" else {}))
    kept = Kept(model_class(config).eval())
    assert why_model_is_not_kept(kept.model) == ""
    text = prompt(90)
    for asked in ([*text, 5, 6], [*text, 7], text[:50], [*text[:70], *text[:30]]):
        assert kept.ask(asked) == kept.stock(asked)
    assert kept.generate.last == (49, 51)
    assert kept.generate.left_alone == {}


def test_a_sliding_window_is_left_alone():
    if not hasattr(transformers, "MistralConfig"):
        pytest.skip("this Transformers has no Mistral")
    kept = Kept(transformers.MistralForCausalLM(transformers.MistralConfig(**SMALL, sliding_window=32)).eval())
    for asked in (prompt(90), [*prompt(90), 5]):
        assert kept.ask(asked) == kept.stock(asked)
    assert kept.generate.left_alone == {"layers that forget what is far away found": 2}
