"""Tiny random Llamas, the libraries' own linear scaling to hold ours against, and a float64 reference in numpy."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama import modeling_llama

BASE_WINDOW = 64
LAYERS = 3
FACTORS = (2, 4, 8, 3, 1.7)
DTYPES = (torch.float32, torch.float16, torch.bfloat16)
THETA = 10000.0
KEEPS_TABLES = hasattr(modeling_llama.LlamaRotaryEmbedding, "_set_cos_sin_cache")
HAS_ROPE_PARAMETERS = not transformers.__version__.startswith("4.")  # in the config; rope_theta and rope_scaling before
HAS_ROPE_UTILS = find_spec("transformers.modeling_rope_utils") is not None  # from 4.43 on
TYPE_KEY = "rope_type" if HAS_ROPE_UTILS else "type"  # of config.rope_scaling
ROTARY_MODULES = 1 if HAS_ROPE_UTILS else LAYERS  # that a forward pass uses
base_in_config_only = pytest.mark.skipif(
    not (hasattr(LlamaConfig(), "rope_theta") or HAS_ROPE_PARAMETERS), reason="this Transformers has a base of its own"
)
DTYPE_ARGUMENT = "dtype" if HAS_ROPE_PARAMETERS else "torch_dtype"


def llama_config(
    factor: float | None = None, kv_heads: int = 2, rope_type: str = "linear", **values: Any
) -> LlamaConfig:
    """A config with ``rope_scaling`` spelled as the installed Transformers wants it, or with none."""
    settings: dict[str, Any] = {
        "vocab_size": 97,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 4,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": BASE_WINDOW,
        "initializer_range": 0.2,
        "bos_token_id": 1,
        "eos_token_id": None,
        "pad_token_id": 0,
        **values,
    }
    if factor is not None:
        settings["rope_scaling"] = {TYPE_KEY: rope_type, "factor": float(factor)}
    return LlamaConfig(**settings)


def save_tiny_llama(folder: Path, kv_heads: int) -> Path:
    """A checkpoint whose config says nothing about scaling."""
    torch.manual_seed(7)
    LlamaForCausalLM(llama_config(kv_heads=kv_heads)).save_pretrained(folder)
    return folder


def load(folder: Path, factor: float | None = None, dtype: torch.dtype = torch.float32, **values: Any) -> Any:
    """Load as a webui does; a ``factor`` is stated in the config, so that Transformers itself scales."""
    config = LlamaConfig.from_pretrained(folder)
    stated = llama_config(factor, config.num_key_value_heads, **values)
    return widened(LlamaForCausalLM.from_pretrained(folder, config=stated, **{DTYPE_ARGUMENT: dtype}).eval())


def widened(model: Any) -> Any:
    """4.38 itself fails on prompts longer than twice max_position_embeddings, scaled or not: its mask ends there."""
    if hasattr(model.model, "causal_mask"):
        model.model.register_buffer("causal_mask", torch.ones(1024, 1024, dtype=torch.bool).triu(1), persistent=False)
    return model


def tokens(length: int) -> torch.Tensor:
    return torch.randint(1, 97, (1, length), generator=torch.Generator().manual_seed(11))


@torch.no_grad()
def logits(model: Any, length: int = 3 * BASE_WINDOW) -> torch.Tensor:
    return model(tokens(length)).logits


@torch.no_grad()
def greedy(model: Any, prompt_tokens: int, new_tokens: int) -> list[int]:
    """Token by token with the model's own cache, as ``generate`` does."""
    made, past, step = [], None, tokens(prompt_tokens)
    for _ in range(new_tokens):
        answer = model(step, past_key_values=past, use_cache=True)
        past = answer.past_key_values
        step = answer.logits[:, -1].argmax(-1, keepdim=True)
        made.append(int(step))
    return made


def rotary_modules(model: Any) -> list[Any]:
    decoder = model.model
    return [decoder.rotary_emb] if hasattr(decoder, "rotary_emb") else [x.self_attn.rotary_emb for x in decoder.layers]


def rotary_rows(module: Any, length: int, dtype: torch.dtype = torch.float32) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of the positions 0 .. length - 1 as the attention gets them, float64, (length, head_dim)."""
    hidden = torch.zeros(1, 1, 1, 16, dtype=dtype)
    with torch.no_grad():
        cos, sin = module(hidden, seq_len=length) if KEEPS_TABLES else module(hidden, torch.arange(length)[None])
    return cos.double().numpy().reshape(length, -1), sin.double().numpy().reshape(length, -1)


def reference_rows(length: int, head_dim: int, factor: float, theta: float = THETA) -> tuple[np.ndarray, np.ndarray]:
    """The papers' formula in float64: angle = position / factor * theta ** (-2i / d), for both halves of a head."""
    pairs = np.arange(head_dim // 2, dtype=np.float64)
    angles = (np.arange(length, dtype=np.float64) / factor)[:, None] * theta ** (-2.0 * pairs / head_dim)[None, :]
    angles = np.concatenate([angles, angles], axis=1)
    return np.cos(angles), np.sin(angles)


def state_of(model: Any) -> dict[str, Any]:
    """Everything of the rotary modules that an undo has to bring back: classes, attribute names, buffers by value."""
    state: dict[str, Any] = {}
    for index, module in enumerate(rotary_modules(model)):
        state[f"{index}.class"] = type(module)
        state[f"{index}.attributes"] = sorted(module.__dict__)
        state[f"{index}.max_seq_len_cached"] = module.max_seq_len_cached
        state |= {f"{index}.{name}": (buffer.dtype, buffer.tolist()) for name, buffer in module._buffers.items()}
    return state
