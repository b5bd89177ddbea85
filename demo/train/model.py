"""The model: Transformers' own Llama, small, with linear position interpolation switched on by a factor."""

import torch
import transformers

BASE_WINDOW = 256  # tokens
ROPE_THETA = 10000.0


def create_llama(
    vocabulary: int, factor: float = 1.0, hidden: int = 128, layers: int = 4, heads: int = 4, intermediate: int = 384
) -> transformers.LlamaForCausalLM:
    """A Llama with fresh weights; `factor` divides its positions, exactly as Transformers' `linear` scaling does."""
    scaling = {"rope_type": "linear", "factor": float(factor), "rope_theta": ROPE_THETA} if factor != 1 else None
    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=BASE_WINDOW,
        rms_norm_eps=1e-6,
        rope_parameters=scaling or {"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=False,
        bos_token_id=1,
        eos_token_id=2,
        use_cache=False,
    )
    return transformers.LlamaForCausalLM._from_config(config, attn_implementation="sdpa")


def shape_of(weights: dict[str, torch.Tensor]) -> dict[str, int]:
    """The sizes `create_llama` needs for a state dict; heads are 32 wide."""
    hidden = weights["model.norm.weight"].shape[0]
    return {
        "vocabulary": weights["lm_head.weight"].shape[0],
        "hidden": hidden,
        "layers": 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("model.layers.")),
        "heads": hidden // 32,
        "intermediate": weights["model.layers.0.mlp.up_proj.weight"].shape[0],
    }
