"""What was read in another state of the model serves nobody, whenever it is put back."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from extensions.airoboros_longctx.prefix_cache.key_values import KeyValues
from extensions.airoboros_longctx.prefix_cache.store import Prefix, PrefixStore

TOKENS = tuple(range(600))
NOW, BEFORE = ("now",), ("before",)


@pytest.fixture
def store() -> PrefixStore:
    return PrefixStore(lambda: 1000.0, lambda device: 1 << 30)


def read(prefix: Prefix, tokens: int) -> Prefix:
    prefix.tokens, prefix.layers = TOKENS[:tokens], _layers(tokens)
    return prefix


def _layers(tokens: int) -> KeyValues:
    return [(torch.zeros((1, 1, tokens, 4)), torch.zeros((1, 1, tokens, 4)))]


def test_what_is_put_back_while_a_prompt_waits(store, monkeypatch):
    before, now = store.take(TOKENS, "", BEFORE, None), store.take(TOKENS[:400], "", NOW, None)

    def others_go_on(left: float) -> None:
        store.put(read(before, 512))
        store.put(read(now, 300))

    monkeypatch.setattr(store._changed, "wait", others_go_on)
    taken = store.take((*TOKENS, 9), "", NOW, None)
    assert taken.layers[0][0].shape == (1, 1, 300, 4)
    assert store.held() == (0, 0)


def test_nobody_waits_for_what_would_not_serve(store, monkeypatch):
    def waits(left: float) -> Any:
        raise AssertionError

    store.take(TOKENS, "", BEFORE, None)
    monkeypatch.setattr(store._changed, "wait", waits)
    assert store.take((*TOKENS, 9), "", NOW, None).layers == []
