"""In lower precision what is kept changes no bit: only whole passes, cut at the same places, are used again."""

from __future__ import annotations

import pytest
import torch

from extensions.airoboros_longctx.prefix_cache.key_values import layers_of
from tests.unit.prefix_cache.kept_llama import Kept, prompt, tiny_llama


@pytest.fixture(params=[torch.bfloat16, torch.float16], ids=["bfloat16", "float16"])
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    if request.param == torch.float16:
        try:
            tiny_llama(dtype=torch.float16)(torch.tensor([[5, 6]]))
        except RuntimeError:
            pytest.skip("this PyTorch computes nothing in float16 on a CPU")
    return request.param


class Watched(Kept):
    """Also keeps the past that reaches the library."""

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pasts: list[list[torch.Tensor]] = []
        library = type(self.model).generate

        def watched(model, *given, **named):
            if "past_key_values" in named:
                self.pasts.append([one.clone() for pair in layers_of(named["past_key_values"]) for one in pair])
            return library(model, *given, **named)

        monkeypatch.setattr(type(self.model), "generate", watched)


def test_on_and_off_are_the_same_bit_for_bit(dtype, monkeypatch):
    on, off = Watched(tiny_llama(dtype=dtype)), Watched(tiny_llama(dtype=dtype))
    off.share = 0.0
    text = prompt(120)
    asked = [text[:100], [*text[:77], 5, 6], text, text, text[:41], [*text[:33], 9]]
    reused = []
    for words in asked:
        with monkeypatch.context() as patch:
            on.watch(patch)
            answer = on.ask(words)
        with monkeypatch.context() as patch:
            off.watch(patch)
            assert off.ask(words) == answer
        assert all(map(torch.equal, on.pasts[0], off.pasts[0]))
        assert len(on.pasts[0]) == 6
        reused.append(on.generate.last[0])
        assert off.generate.last == (0, len(words))
    assert reused == [0, 64, 64, 119, 32, 32]


def test_whole_passes_alone(dtype):
    kept = Kept(tiny_llama(dtype=dtype))
    kept.ask(prompt(60))
    kept.ask([*prompt(60)[:50], 9, 9])
    assert kept.generate.last == (48, 4)
