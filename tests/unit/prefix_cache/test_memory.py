"""What kept prompts take, what is let go for it, and that all of it goes with the model."""

from __future__ import annotations

import copy
import gc
import io
import weakref

import pytest
import torch

from extensions.airoboros_longctx.prefix_cache.key_values import (
    bytes_per_token,
    cache_class,
    first_tokens,
    layers_of,
    lengths,
    new_past,
)
from extensions.airoboros_longctx.prefix_cache.prefill import read_prompt
from tests.unit.prefix_cache.kept_llama import Kept, prompt, tiny_llama

#: 2 × layers × key-value heads × head size × element size.
BYTES_PER_TOKEN = 2 * 3 * 2 * 16 * 4
#: A reply stays behind its prompt where the library's cache holds both and the prompt is not worth a copy.
REPLY = 1 if cache_class() is not None else 0


def test_the_bytes_of_each_token(kept):
    kept.ask(prompt(101), new_tokens=6)
    assert kept.store.held() == (100, (100 + 6 * REPLY) * BYTES_PER_TOKEN)


def test_a_long_reply_is_not_kept_alive(kept):
    """What is shown of a tensor keeps all of it alive."""
    kept.ask(prompt(21), new_tokens=200)
    assert kept.store.held() == (20, 20 * BYTES_PER_TOKEN)


def test_nor_the_rest_of_a_longer_prompt(kept):
    kept.ask(prompt(201))
    kept.ask(prompt(201)[:130], new_tokens=1)
    assert kept.store.held() == (129, (129 + 1 * REPLY) * BYTES_PER_TOKEN)


def test_what_was_used_longest_ago_goes_first(kept):
    one, two, three = prompt(101, 1), prompt(101, 2), prompt(201, 3)
    kept.ask(one)
    kept.ask(two)
    kept.ask(one)
    kept.free = 210 * BYTES_PER_TOKEN
    kept.ask(three)  # 2 × 106 + 206 tokens are held, and half of that and 210 is 314
    assert sorted(len(entry.tokens) for entry in kept.store._kept) == [100, 200]
    kept.ask(one)
    assert kept.generate.last == (100, 1)


def test_a_share_of_free_memory(kept):
    kept.free, kept.share = 100 * BYTES_PER_TOKEN, 0.5
    kept.ask(prompt(60))
    assert kept.store.held()[0] == 59  # half of 100 + 65 tokens is 82
    kept.ask(prompt(220, 1))
    assert kept.store.held() == (0, 0)  # half of 100 + 65 + 225 is 195: neither the older one fits nor the new


def test_a_number_of_mebibytes(kept):
    kept.share = 1.5
    for seed in range(8):
        kept.ask(prompt(301, seed))
    assert kept.store.held() == (300, 6 * (300 + 6 * REPLY) * BYTES_PER_TOKEN)  # 2048 tokens fit


def test_memory_that_becomes_scarce(kept):
    kept.ask(prompt(101))
    kept.free = 0
    kept.store.trim()
    assert kept.store.held() == (0, 0)


def test_what_is_kept_makes_room_for_a_prompt_before_it_is_read(kept, monkeypatch):
    kept.ask(prompt(101, 1))
    kept.ask(prompt(101, 2), new_tokens=1)
    kept.free = (200 - 90) * BYTES_PER_TOKEN
    held: list[int] = []
    kept.stops = lambda: bool(held.append(kept.store.held()[0]))
    monkeypatch.setattr(kept.store, "_share", lambda: 1.0)
    kept.ask(prompt(200, 3))
    assert held[0] == 100  # one of the two, the one that was used last
    assert len(kept.store._kept) == 2


def test_the_formula_is_what_is_held(kept):
    assert bytes_per_token(kept.model.config, 4) == BYTES_PER_TOKEN


def test_a_share_of_nothing_keeps_nothing(kept):
    kept.share = 0.0
    for _ in range(2):
        kept.ask(prompt(60))
        assert kept.generate.last == (0, 60)
    assert kept.store.held() == (0, 0)


def test_another_talk_leaves_a_long_prompt_alone(kept):
    """Two that share a preamble do not take each other's documents."""
    first, second = prompt(20) + prompt(200, 1), prompt(20) + prompt(100, 2)
    kept.ask(first)
    assert kept.ask(second) == kept.stock(second)
    assert kept.generate.last == (20, 100)
    kept.ask(first)
    assert kept.generate.last == (219, 1)


def test_a_prompt_cut_at_its_head_shares_nothing(kept):
    text = prompt(100)
    kept.ask(text)
    assert kept.ask(text[7:]) == kept.stock(text[7:])
    assert kept.generate.last == (0, 93)


def test_all_goes_with_the_model():
    kept = Kept(tiny_llama())
    kept.ask(prompt(60))
    model, store = weakref.ref(kept.model), weakref.ref(kept.store)
    tensor = weakref.ref(kept.store._kept[0].layers[0][0])
    del kept.store, kept.generate, kept.model, kept
    gc.collect()
    assert (model(), store(), tensor()) == (None, None, None)


def test_even_without_a_garbage_collection():
    gc.collect()
    gc.disable()
    try:
        kept = Kept(tiny_llama())
        kept.ask(prompt(60))
        model = weakref.ref(kept.model)
        del kept.store, kept.generate, kept.model
        assert model() is None
    finally:
        gc.enable()


def test_no_room_while_reading(kept, monkeypatch):
    """Everything is dropped, and the host's own call runs once."""
    kept.ask(prompt(60))
    real, calls = kept.model.forward, []

    def forward(*given, **named):
        calls.append(named["input_ids"].shape[-1])
        if len(calls) == 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return real(*given, **named)

    monkeypatch.setattr(kept.model, "forward", forward)
    text = prompt(60, 1)
    answer = kept.ask(text)
    assert answer == kept.stock(text)
    assert calls[:3] == [16, 16, 60]
    assert kept.store.held() == (0, 0)
    assert kept.said == ["The prompt was left to the host alone: there was not enough memory."]


def test_a_copy_of_the_model_generates_with_itself(kept):
    text = prompt(40)
    kept.ask(text)
    other = copy.deepcopy(kept.model)
    with torch.no_grad():
        other.lm_head.weight.mul_(-1)
    ids = torch.tensor([text])
    answer = other.generate(inputs=ids, max_new_tokens=4, do_sample=False)[0].tolist()
    assert answer == type(other).generate(other, inputs=ids, max_new_tokens=4, do_sample=False)[0].tolist()
    assert answer[40:] != kept.stock(text, 4)


def test_the_model_can_be_saved_whole(kept):
    kept.ask(prompt(40))
    file = io.BytesIO()
    torch.save(kept.model, file)
    file.seek(0)
    assert torch.load(file, weights_only=False).generate.__func__ is type(kept.model).generate


@pytest.mark.parametrize("own", [False, True])
def test_first_tokens_of_a_view(own):
    keys = torch.arange(2 * 100 * 4.0).reshape(1, 2, 100, 4)
    ((cropped, _),) = first_tokens([(keys, keys)], 99, own)
    assert (cropped.data_ptr() == keys.data_ptr()) is not own
    ((small, _),) = first_tokens([(keys, keys)], 50, own)
    assert small.untyped_storage().nbytes() == 2 * 50 * 4 * 4
    assert torch.equal(small, keys[..., :50, :])


def test_a_prompt_has_its_place_from_the_first_pass_on(kept):
    """A cache that consists of layers would copy all that it holds at each pass; what is in it is the same."""
    model, ids = kept.model, torch.tensor([prompt(60)])
    past = new_past(model.config, [], room=60)
    if not hasattr(past, "layers"):
        pytest.skip("this library's cache does not consist of layers")
    places = set()

    def goes_on(so_far):
        places.update(layer.keys.untyped_storage().data_ptr() for layer in past.layers if so_far)
        return True

    with torch.no_grad():
        read_prompt(model, ids, past, 0, 16, False, goes_on)
        grown, _ = read_prompt(model, ids, new_past(model.config, []), 0, 16, False, lambda so_far: True)
        assert len(places) == len(past.layers)
        for ours, theirs in zip(layers_of(past), layers_of(grown), strict=True):
            assert all(map(torch.equal, ours, theirs))
        model(input_ids=ids[:, :2], past_key_values=past)  # two more than there is room for
    assert lengths(past) == {61}
