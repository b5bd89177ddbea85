"""A Llama of 28 million random parameters in Hugging Face format: of its replies the model takes most, as of real ones.

It says nothing that makes sense, and is as quick as a trained one. Its tokenizer is the shipped model's.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from .document_turn import SHIPPED_MODEL

LAYERS, HIDDEN, HEADS, INTERMEDIATE = 8, 512, 8, 1408
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json")


def make_random_llama(folder: Path, window: int, card: str = "") -> Path:
    """Write the model to ``folder``, float32, for ``window`` tokens unscaled; ``card`` becomes its README.md.

    The same weights every time. Needs torch and transformers.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(20)
    config = LlamaConfig(
        hidden_size=HIDDEN,
        intermediate_size=INTERMEDIATE,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        vocab_size=2048,  # the tokenizer's
        max_position_embeddings=window,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        shutil.copy(SHIPPED_MODEL / name, folder / name)
    if card:
        (folder / "README.md").write_text(card, encoding="utf-8")
    return folder
