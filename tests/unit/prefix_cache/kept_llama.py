"""A tiny random Llama whose prompts are kept, beside the library's own ``generate``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import LlamaForCausalLM

from extensions.airoboros_longctx.prefix_cache.prefix_generate import PrefixGenerate, Surroundings
from extensions.airoboros_longctx.prefix_cache.store import PrefixStore
from tests.unit.rope.tiny_llama import llama_config, widened

torch.set_num_threads(1)
WINDOW = 512


class Kept:
    """A tiny random Llama whose prompts are kept, what a host says around it, and what was logged."""

    def __init__(self, model: Any, chunk: int = 16, free: int = 1 << 30) -> None:
        self.model, self.free, self.share = model, free, 0.5
        self.person: str | None = ""
        self.stops: Callable[[], bool] = lambda: False
        self.reuses = True
        self.said: list[str] = []
        self.store = PrefixStore(lambda: self.share, lambda device: self.free)
        around = Surroundings(lambda ids: self.person, lambda: self.stops(), self.said.append, lambda: self.reuses)
        self.generate = PrefixGenerate(model, self.store, around, chunk=chunk, smallest=20)

    def ask(self, prompt: list[int], new_tokens: int = 6, **named: Any) -> list[int]:
        """The new tokens, greedily, through whatever ``generate`` the model has now."""
        return self.answer(prompt, new_tokens, **named)[len(prompt) :]

    def answer(self, prompt: list[int], new_tokens: int = 6, **named: Any) -> list[int]:
        ids = torch.tensor([prompt])
        return self.model.generate(inputs=ids, max_new_tokens=new_tokens, do_sample=False, **named)[0].tolist()

    def stock(self, prompt: list[int], new_tokens: int = 6, **named: Any) -> list[int]:
        """The same through the library's own ``generate``."""
        ids = torch.tensor([prompt])
        generate = type(self.model).generate
        return generate(self.model, inputs=ids, max_new_tokens=new_tokens, do_sample=False, **named)[0].tolist()[
            len(prompt) :
        ]


def tiny_llama(seed: int = 7, dtype: torch.dtype = torch.float32, **values: Any) -> Any:
    torch.manual_seed(seed)
    settings = {"max_position_embeddings": WINDOW, "pad_token_id": None, **values}
    return widened(LlamaForCausalLM(llama_config(**settings)).eval()).to(dtype)


def prompt(length: int, seed: int = 0) -> list[int]:
    return torch.randint(1, 97, (length,), generator=torch.Generator().manual_seed(seed)).tolist()
