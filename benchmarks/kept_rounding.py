"""Replies with kept prompts against the library's own, which reads every prompt in one pass: how many differ.

The shipped model answers fifty questions over texts that fill its window, greedily, 24 tokens each; every text is asked
about twice, so the second time all but the question is kept. A ratio is the share of replies that differ, in tens.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from .measuring import row
from .rows import Options, Row

NAME = "kept-rounding"
_WINDOW, _REPLY_TOKENS, _GROUP = 1024, 24, 10
_LIBRARY = "Transformers alone"


def rows(options: Options) -> Iterator[Row]:
    import torch

    groups = options.pairs()
    prompts = _prompts(groups * _GROUP if not options.quick else groups)
    for name in ("float32", "bfloat16"):
        model, store, share = _model(getattr(torch, name))
        kept = [_reply(model, prompt) for text, prompt in prompts if _reply(model, text, tokens=1)]
        store.clear()
        share[0] = 0.0
        nothing = [_reply(model, prompt) for _, prompt in prompts]
        del model.generate
        library = [_reply(model, prompt) for _, prompt in prompts]
        goal = 0.0 if name == "float32" else None
        yield row(f"{name}: replies with kept prompts that differ", _LIBRARY, _shares(kept, library), exactly=goal)
        yield row(f"{name}: replies with kept prompts that differ", "nothing kept", _shares(kept, nothing), exactly=0.0)


def _prompts(count: int) -> list[tuple[Any, Any]]:
    """The ids of a text alone, and of the same text with a question behind it."""
    from transformers import AutoTokenizer

    from .document_turn import SHIPPED_MODEL

    tokenizer: Any = AutoTokenizer.from_pretrained(str(SHIPPED_MODEL))
    make: Any = importlib.import_module("demo.train.data").keyed_question
    found = []
    for seed in range(count):
        prompt = str(make(9000 + seed, _WINDOW - _REPLY_TOKENS, seed / count, tokenizer).prompt)
        texts = prompt[: prompt.rindex("BEGININSTRUCTION")], prompt
        text, asked = (tokenizer(one, return_tensors="pt")["input_ids"] for one in texts)
        found.append((text, asked))
    return found


def _model(dtype: Any) -> tuple[Any, Any, list[float]]:
    import torch
    from transformers import AutoModelForCausalLM

    from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
    from extensions.airoboros_longctx.prefix_cache.prefix_generate import PrefixGenerate, Surroundings
    from extensions.airoboros_longctx.prefix_cache.store import PrefixStore
    from extensions.airoboros_longctx.rope.live_patch import apply_rope_scaling

    from .document_turn import SHIPPED_MODEL

    torch.set_num_threads(1)
    model: Any = AutoModelForCausalLM.from_pretrained(str(SHIPPED_MODEL), dtype=dtype).eval()
    apply_rope_scaling(model, RopeScaling("linear", 4.0, 256))
    share = [0.5]
    store = PrefixStore(lambda: share[0])
    PrefixGenerate(model, store, Surroundings(lambda ids: "", lambda: False, lambda sentence: None, lambda: True))
    return model, store, share


def _reply(model: Any, prompt: Any, tokens: int = _REPLY_TOKENS) -> list[int]:
    reply = model.generate(inputs=prompt, max_new_tokens=tokens, do_sample=False)[0, prompt.shape[-1] :]
    return [int(token) for token in reply]


def _shares(ours: list[list[int]], theirs: list[list[int]]) -> list[float]:
    size = min(_GROUP, len(ours))
    different = [one != other for one, other in zip(ours, theirs, strict=True)]
    return [sum(different[begin : begin + size]) / size for begin in range(0, len(different), size)]
