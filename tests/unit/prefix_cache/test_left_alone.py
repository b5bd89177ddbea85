"""What asks for more than reading one prompt and continuing it is the library's alone, and said."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from tests.unit.prefix_cache.kept_llama import Kept, prompt, tiny_llama

TEXT = prompt(40)


@pytest.fixture
def passes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What reaches the library's own ``generate`` after a first plain question; it computes nothing then."""
    kept.ask(TEXT)
    seen: list[dict[str, Any]] = []

    def library(self: Any, *given: Any, **named: Any) -> torch.Tensor:
        seen.append({"given": given, **named})
        return torch.tensor([TEXT])

    monkeypatch.setattr(type(kept.model), "generate", library)
    return seen


def assert_untouched(kept: Kept, passes: list[dict[str, Any]], why: str, named: dict[str, Any]) -> None:
    assert passes == [{"given": (), **named}]
    assert kept.generate.why_left_alone == why
    assert kept.generate.left_alone == {why: 1}
    assert kept.store.held()[0] == 39


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_beams", 2),
        ("num_return_sequences", 2),
        ("cache_implementation", "static"),
        ("use_cache", False),
        ("prompt_lookup_num_tokens", 3),
        ("prefill_chunk_size", 8),
        ("penalty_alpha", 0.6),
        ("guidance_scale", 1.5),
        ("assistant_model", "another model"),
        ("past_key_values", "a past"),
        ("inputs_embeds", "embeddings"),
        ("negative_prompt_ids", "a prompt"),
        ("return_dict_in_generate", True),
        ("custom_generate", "a way of its own"),
        ("synced_gpus", True),
    ],
)
def test_by_an_argument(kept, passes, name, value):
    named = {"inputs": torch.tensor([TEXT]), name: value}
    kept.model.generate(**named)
    assert_untouched(kept, passes, f"{name} is set", named)


@pytest.mark.parametrize(("name", "value"), [("num_beams", 2), ("penalty_alpha", 0.6), ("use_cache", False)])
def test_by_the_models_own_generation_config(kept, passes, name, value):
    setattr(kept.model.generation_config, name, value)
    named = {"inputs": torch.tensor([TEXT])}
    kept.model.generate(**named)
    assert_untouched(kept, passes, f"{name} is set", named)


def test_by_the_generation_config_of_the_call(kept, passes):
    config = GenerationConfig(max_new_tokens=3)
    config.num_beams = 2
    named = {"inputs": torch.tensor([TEXT]), "generation_config": config}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "num_beams is set", named)


def test_by_an_argument_that_reaches_the_model(kept, passes):
    named = {"inputs": torch.tensor([TEXT]), "token_type_ids": torch.zeros(1, 40)}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "the argument token_type_ids reaches the model itself", named)


def test_several_prompts(kept, passes):
    named = {"inputs": torch.tensor([TEXT, TEXT])}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "several prompts at once", named)


def test_a_masked_prompt(kept, passes):
    named = {"inputs": torch.tensor([TEXT]), "attention_mask": torch.tensor([[0] * 3 + [1] * 37])}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "a part of the prompt is masked", named)


def test_padding_inside_the_prompt(kept, passes):
    """Without a mask the library takes it for padding: what follows has other positions then."""
    named = {"inputs": torch.tensor([[*TEXT[:20], 0, *TEXT[20:]]]), "pad_token_id": 0}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "padding inside the prompt", named)


def test_padding_by_config(kept, passes):
    kept.model.config.pad_token_id = 0
    named = {"inputs": torch.tensor([[*TEXT[:20], 0, *TEXT[20:]]])}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "padding inside the prompt", named)


def test_the_end_token_is_no_padding(kept):
    """A chat's earlier turns end with it, and most Llamas pad with it."""
    text = [*TEXT[:20], 2, *TEXT[20:]]
    assert kept.ask(text, pad_token_id=2, eos_token_id=2) == kept.stock(text, pad_token_id=2, eos_token_id=2)
    assert kept.generate.last == (0, 41)
    assert kept.generate.left_alone == {}


def test_a_whole_mask_and_a_named_prompt_are_plain(kept):
    ids = torch.tensor([TEXT])
    answer = kept.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False)
    assert answer[0].tolist()[40:] == kept.stock(TEXT)
    assert kept.generate.left_alone == {}
    assert kept.store.held()[0] == 39


def test_a_short_prompt_is_not_worth_a_word(kept, passes):
    kept.model.generate(torch.tensor([[5, 6, 7]]))
    assert [one["given"][0].tolist() for one in passes] == [[[5, 6, 7]]]
    assert (kept.generate.why_left_alone, kept.generate.left_alone) == ("", {})


def test_nobody_knows_who_asks(kept, passes):
    kept.person = None
    named = {"inputs": torch.tensor([TEXT])}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "nobody knows who asks", named)


def test_switched_off(kept, passes):
    kept.reuses = False
    named = {"inputs": torch.tensor([TEXT])}
    kept.model.generate(**named)
    assert passes == [{"given": (), **named}]
    assert kept.store.held() == (0, 0)


def test_in_training(kept, passes):
    kept.model.train()
    named = {"inputs": torch.tensor([TEXT])}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "the model is being trained", named)


@pytest.mark.parametrize(("rope_type", "key"), [("dynamic", "type"), ("longrope", "rope_type"), ("su", "type")])
def test_scaling_that_depends_on_the_length(kept, passes, rope_type, key):
    scaling = {key: rope_type, "factor": 2.0, "rope_theta": 10000.0}
    for name in ("rope_scaling", "rope_parameters"):
        kept.model.config.__dict__[name] = scaling
    named = {"inputs": torch.tensor([TEXT])}
    kept.model.generate(**named)
    assert_untouched(kept, passes, f"its {rope_type} scaling depends on the length of the prompt", named)


def test_live_scaling_that_depends_on_the_length(kept, passes):
    """The module that turns the positions counts, whatever config.json says."""
    rotary = next(one for one in kept.model.modules() if "Rotary" in type(one).__name__)
    rotary.rope_type = "dynamic"
    named = {"inputs": torch.tensor([TEXT])}
    kept.model.generate(**named)
    assert_untouched(kept, passes, "its rotary embedding depends on the length of the prompt", named)


def test_dynamic_ntk_gives_the_same_tokens():
    """The real thing: what was read of a short prompt is wrong for a longer one."""
    kept = Kept(tiny_llama(factor=2.0, rope_type="dynamic", max_position_embeddings=32))
    for text in (prompt(24), prompt(24) + prompt(60, 1), prompt(24) + prompt(50, 2)):
        assert kept.ask(text) == kept.stock(text)
    assert list(kept.generate.left_alone) == ["its dynamic scaling depends on the length of the prompt"]
