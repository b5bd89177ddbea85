"""Llamas that nobody trained, in Hugging Face format: they say nothing that makes sense, at the speed of trained ones.

One of 28 million random parameters, of which a reply takes more than what is around it, and one of 0.8 billion. Their
tokenizer is the shipped model's.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from .document_turn import SHIPPED_MODEL

HEADS, VOCABULARY = 8, 2048
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json")


def make_random_llama(folder: Path, window: int, card: str = "") -> Path:
    """Write the model to ``folder``, float32, for ``window`` tokens unscaled; ``card`` becomes its README.md.

    The same weights every time. Needs torch and transformers.
    """
    import torch
    from transformers import LlamaForCausalLM

    torch.manual_seed(20)
    LlamaForCausalLM(_config(window, layers=8, hidden=512)).save_pretrained(folder)
    return _with_tokenizer(folder, card)


def make_large_llama(folder: Path, window: int) -> Path:
    """0.8 billion parameters in float16, all of them alike: a model to load, not to ask."""
    import torch
    from safetensors.torch import save_file
    from transformers import LlamaForCausalLM

    config = _config(window, layers=16, hidden=2048)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in LlamaForCausalLM(config).state_dict().items()}
    config.save_pretrained(folder)
    weights = {name: torch.full(shape, 0.01, dtype=torch.float16) for name, shape in shapes.items()}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return _with_tokenizer(folder)


def _config(window: int, layers: int, hidden: int) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        architectures=["LlamaForCausalLM"],
        hidden_size=hidden,
        intermediate_size=hidden * 11 // 4,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        vocab_size=VOCABULARY,  # the tokenizer's
        max_position_embeddings=window,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )


def _with_tokenizer(folder: Path, card: str = "") -> Path:
    for name in _TOKENIZER_FILES:
        shutil.copy(SHIPPED_MODEL / name, folder / name)
    if card:
        (folder / "README.md").write_text(card, encoding="utf-8")
    return folder
