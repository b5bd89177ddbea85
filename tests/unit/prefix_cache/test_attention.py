"""Attention that loaders put into a model is tried before it is trusted with several passes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.unit.prefix_cache.kept_llama import Kept, prompt, tiny_llama

TEXT = prompt(60)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_that_looks_ahead_within_a_later_pass(dtype, monkeypatch):
    """As the webui's xformers attention of 2023 does: it takes a row that sees the past for one that sees all."""
    kept = Kept(tiny_llama(dtype=dtype))
    attention = type(kept.model.model.layers[0].self_attn)
    library = attention.forward

    def forward(self: Any, *given: Any, **named: Any) -> Any:
        hidden = named.get("hidden_states", given[0] if given else None)
        mask = named.get("attention_mask")
        if mask is None or mask.dim() != 4 or mask.shape[-1] == hidden.shape[1]:
            return library(self, *given, **named)
        return library(
            self, *given, **{**named, "attention_mask": torch.ones_like(mask) if _is_bool(mask) else 0 * mask}
        )

    monkeypatch.setattr(attention, "forward", forward)
    for text in (TEXT, [*TEXT, 5]):
        assert kept.ask(text) == kept.stock(text)
    assert kept.generate.left_alone == {"its attention reads a prompt in several passes otherwise than in one": 2}


def _is_bool(mask: torch.Tensor) -> bool:
    return mask.dtype == torch.bool


def test_the_librarys_own_is_trusted(kept):
    kept.ask(TEXT)
    assert kept.generate.left_alone == {}
