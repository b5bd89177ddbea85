"""The RoPE patch that the model cards of 2023 ask for, written anew from its description, for today's Transformers.

As described: every layer has a rotary module of its own. It multiplies the positions of the whole window by 1/factor
when it is built, keeps their cosines and sines in float32, hands out as many rows as the sequence is long, and each
layer picks those of its positions. The window is fixed and nothing takes the patch back.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class RotaryModuleOf2023(nn.Module):
    """``cos_cached`` and ``sin_cached``: shape ``(window, head_dim)``, float32."""

    def __init__(self, head_dim: int, window: int, factor: float, rope_theta: float) -> None:
        super().__init__()
        inv_freq = 1.0 / (rope_theta ** (torch.arange(0, head_dim, 2).float() / head_dim))
        positions = torch.arange(window, dtype=inv_freq.dtype) * (1 / factor)
        angles = torch.outer(positions, inv_freq)
        angles = torch.cat((angles, angles), dim=-1)
        self.register_buffer("cos_cached", angles.cos(), persistent=False)
        self.register_buffer("sin_cached", angles.sin(), persistent=False)

    def forward(self, values: Tensor, sequence_length: int) -> tuple[Tensor, Tensor]:
        """The rows of ``sequence_length`` positions in the dtype of ``values``."""
        rows = slice(None, sequence_length)
        cos, sin = self.get_buffer("cos_cached")[rows], self.get_buffer("sin_cached")[rows]
        return cos.to(values.dtype), sin.to(values.dtype)


def patch_as_in_2023(model: Any, factor: float, window: int) -> None:
    """Give every layer of an unscaled Llama its module; what the model computes for all layers at once goes.

    Today's attention is handed its cosines and sines, that of 2023 asked its own module: a hook before it does.
    """
    config = model.config
    head_dim = config.hidden_size // config.num_attention_heads
    for layer in model.model.layers:
        module = RotaryModuleOf2023(head_dim, window, factor, config.rope_parameters["rope_theta"])
        layer.self_attn.rotary_emb = module
        layer.self_attn.register_forward_pre_hook(_ask_own_module, with_kwargs=True)
    model.model.rotary_emb = _Nothing()


class _Nothing(nn.Module):
    def forward(self, *arguments: Any, **keywords: Any) -> None:
        return None


def _ask_own_module(attention: Any, arguments: Any, keywords: Any) -> tuple[Any, Any]:
    past, hidden = keywords.get("past_key_values"), keywords["hidden_states"]
    length = hidden.shape[1] + (past.get_seq_length(attention.layer_idx) if past is not None else 0)
    cos, sin = attention.rotary_emb(hidden, length)
    positions = keywords["position_ids"]
    return arguments, {**keywords, "position_embeddings": (cos[positions], sin[positions])}
