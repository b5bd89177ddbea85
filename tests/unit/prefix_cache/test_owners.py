"""A stopped reply may still run while the next one begins: each has its own keys and values, and so has each person."""

from __future__ import annotations

import threading

import pytest
import torch

from extensions.airoboros_longctx.prefix_cache import store as store_module
from extensions.airoboros_longctx.prefix_cache.key_values import cache_class, layers_of
from tests.unit.prefix_cache.kept_llama import prompt

TEXT = prompt(60)


def test_what_is_in_use_is_nobody_elses(kept, monkeypatch):
    monkeypatch.setattr(store_module, "_WAIT_SECONDS", 0.0)
    kept.ask(TEXT)
    inner: list[list[int]] = []

    def ask_in_between(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if not inner:
            inner.append([])
            inner[0] = kept.ask([*TEXT, 9])
            assert kept.generate.last == (0, 61)
        return scores

    assert kept.ask([*TEXT, 5], logits_processor=[ask_in_between]) == kept.stock([*TEXT, 5])
    assert inner[0] == kept.stock([*TEXT, 9])
    assert kept.ask([*TEXT, 5]) == kept.stock([*TEXT, 5])


def test_a_prompt_waits_for_the_end_of_a_stopped_reply(kept, monkeypatch):
    monkeypatch.setattr(store_module, "_WAIT_SECONDS", 60.0)
    kept.ask(TEXT)
    holds, goes_on = threading.Event(), threading.Event()

    def hold(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        holds.set()
        goes_on.wait(60)
        return scores

    first = threading.Thread(target=lambda: kept.ask([*TEXT, 5], 1, logits_processor=[hold]))
    first.start()
    holds.wait(60)
    threading.Timer(0.2, goes_on.set).start()
    assert kept.ask([*TEXT, 9]) == kept.stock([*TEXT, 9])
    first.join()
    assert kept.generate.last == (60, 1)


def test_people_share_nothing(kept):
    kept.person = "ann"
    kept.ask(TEXT)
    kept.person = "bob"
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.generate.last == (0, 60)
    kept.person = "ann"
    kept.ask(TEXT)
    assert kept.generate.last == (59, 1)


class StopNowError(Exception):
    """As webuis stop a reply: by an exception from a stopping criterion."""


def test_a_reply_that_is_broken_off_between_passes_keeps_the_prompt(kept):
    count = []

    def stop(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        count.append(1)
        if len(count) == 3:
            raise StopNowError
        return scores

    with pytest.raises(StopNowError):
        kept.ask(TEXT, logits_processor=[stop])
    assert kept.store.held()[0] == 59
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.generate.last == (59, 1)


@pytest.mark.skipif(cache_class() is None, reason="a tuple of tensors never has layers of different lengths")
def test_one_that_is_broken_off_inside_a_pass_keeps_nothing(kept):
    layer = kept.model.model.layers[1]
    library, passes, fails_in = layer.forward, [], []

    def forward(*given, **named):
        passes.append(1)
        if len(passes) in fails_in:
            raise StopNowError
        return library(*given, **named)

    layer.forward = forward
    kept.ask(prompt(60, 1))
    passes.clear()
    fails_in.append(7)  # four to read the prompt, and the third of the reply
    with pytest.raises(StopNowError):
        kept.ask(TEXT)
    fails_in.clear()
    assert kept.store.held()[0] == 59  # the other one
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.generate.last == (0, 60)


def test_a_failure_of_ours_leaves_the_host_its_call(kept, monkeypatch):
    monkeypatch.setattr(kept.generate, "_read", lambda *given, **named: 1 / 0)
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.said == ["The prompt was left to the host alone: ZeroDivisionError: division by zero."]
    assert kept.store._busy == []


def test_no_memory_for_a_copy(kept, monkeypatch):
    """Taking a share of another prompt needs memory too."""
    long = prompt(200, 1)
    kept.ask(long)

    def nothing_left(*given, **named):
        raise MemoryError

    monkeypatch.setattr(store_module, "first_tokens", nothing_left)
    asked = [*long[:50], *TEXT]
    assert kept.ask(asked) == kept.stock(asked)
    assert kept.said == ["The prompt was left to the host alone: there was not enough memory."]
    assert (kept.store.held(), kept.store._busy) == ((0, 0), [])


def test_a_model_that_is_let_go_while_it_reads_answers_all_the_same(kept):
    kept.stops = lambda: bool(kept.generate.revert())
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert kept.store.held() == (0, 0)


def test_the_library_gets_all_but_the_last_token(kept, monkeypatch):
    """More is a wrong answer or none, less is one too in Transformers up to 4.35."""
    library, seen = type(kept.model).generate, []

    def watched(self, *given, **named):
        past = named["past_key_values"]
        seen.append((tuple(named["inputs"].shape), {pair[0].shape[-2] for pair in layers_of(past)}))
        return library(self, *given, **named)

    monkeypatch.setattr(type(kept.model), "generate", watched)
    for text in (TEXT, TEXT, TEXT[:30], [*TEXT, 7, 8]):
        kept.ask(text)
    assert seen == [((1, 60), {59}), ((1, 60), {59}), ((1, 30), {29}), ((1, 62), {61})]


def test_a_library_that_reads_more_than_the_last_token(kept, monkeypatch):
    """It would read tokens at the positions of others; nothing that it says is used."""
    library, said = type(kept.model).generate, []

    def reads_all(self, *given, **named):
        if named.get("past_key_values") is not None:
            self(input_ids=named["inputs"], past_key_values=named["past_key_values"])
            said.append("something wrong")
            return named["inputs"]
        return library(self, *given, **named)

    monkeypatch.setattr(type(kept.model), "generate", reads_all)
    assert kept.ask(TEXT) == kept.stock(TEXT)
    assert said == []
    assert kept.said == [
        "The prompt was left to the host alone: ValueError: this library does not go on from the last token."
    ]


def test_a_library_that_cannot_take_it_up_is_left_alone_from_then_on(kept, monkeypatch):
    library = type(kept.model).generate

    def refuses(self, *given, **named):
        if named.get("past_key_values") is not None:
            raise ValueError("no past is taken")
        return library(self, *given, **named)

    monkeypatch.setattr(type(kept.model), "generate", refuses)
    expected = kept.stock(TEXT)
    assert kept.ask(TEXT) == expected
    assert kept.said == ["The prompt was left to the host alone: ValueError: no past is taken."]
    assert "generate" not in vars(kept.model)
    assert kept.store.held() == (0, 0)
