"""A Llama of 820 million random parameters in half precision, for a load that takes a webui about a second.

It is only ever loaded. The layers' numbers are random and all alike, which a loader neither sees nor gains by.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from .document_turn import SHIPPED_MODEL
from .random_llama import TOKENIZER_FILES

_LAYERS, _HIDDEN, _HEADS, _INTERMEDIATE = 16, 2048, 16, 5632


def make_large_llama(folder: Path) -> Path:
    """Write the model to ``folder``: 1.7 GB of safetensors. Needs torch, transformers and safetensors."""
    import torch
    from safetensors.torch import save_file
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=_HIDDEN,
        intermediate_size=_INTERMEDIATE,
        num_hidden_layers=_LAYERS,
        num_attention_heads=_HEADS,
        num_key_value_heads=_HEADS,
        vocab_size=2048,  # the tokenizer's
        max_position_embeddings=2048,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        dtype="float16",
        architectures=["LlamaForCausalLM"],
    )
    config.save_pretrained(folder)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in LlamaForCausalLM(config).state_dict().items()}
    random = {shape: torch.empty(shape, dtype=torch.float16).uniform_(-0.02, 0.02) for shape in set(shapes.values())}
    weights = {name: random[shape].clone() for name, shape in shapes.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    for name in TOKENIZER_FILES:
        shutil.copy(SHIPPED_MODEL / name, folder / name)
    return folder
