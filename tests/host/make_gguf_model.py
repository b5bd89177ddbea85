"""Run with a webui's own Python: a small Llama in Hugging Face format as a GGUF file of half precision.

python make_gguf_model.py MODEL_FOLDER OUT.gguf

No scaling is stated in the file. llama.cpp turns neighbouring pairs, so the rows of q and k are put in its order.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from sentencepiece import SentencePieceProcessor

sys.path.insert(0, str(Path(__file__).parent))
from gguf_file import F16, F32, FLOAT32, INT32, STRING, UINT32, write_gguf

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
OUTSIDE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def in_pairs(weight, heads):
    """The rows of each head, half and half, as neighbouring pairs."""
    rows, columns = weight.shape
    return weight.view(heads, 2, rows // heads // 2, columns).transpose(1, 2).reshape(rows, columns)


def tensors(folder, config):
    for name, weight in load_file(folder / "model.safetensors").items():
        place = name.removesuffix(".weight")
        if place in OUTSIDE:
            renamed = OUTSIDE[place]
        else:
            _, _, layer, inner = place.split(".", 3)
            renamed = f"blk.{layer}.{LAYER[inner]}"
            if inner in ("self_attn.q_proj", "self_attn.k_proj"):
                weight = in_pairs(weight, config["num_attention_heads"])
        kind, dtype = (F32, torch.float32) if weight.dim() == 1 else (F16, torch.float16)
        yield f"{renamed}.weight", tuple(weight.shape), kind, weight.to(dtype).contiguous().numpy().tobytes()


def token_kind(vocabulary, token):
    if vocabulary.is_unknown(token):
        return UNKNOWN
    if vocabulary.is_control(token):
        return CONTROL
    return BYTE if vocabulary.is_byte(token) else NORMAL


def main(folder: Path, out: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    vocabulary = SentencePieceProcessor(str(folder / "tokenizer.model"))
    tokens = range(config["vocab_size"])
    numbers = {
        "context_length": "max_position_embeddings",
        "embedding_length": "hidden_size",
        "block_count": "num_hidden_layers",
        "feed_forward_length": "intermediate_size",
        "attention.head_count": "num_attention_heads",
        "attention.head_count_kv": "num_key_value_heads",
    }
    metadata = {
        "general.architecture": (STRING, "llama"),
        "general.name": (STRING, folder.name),
        "general.file_type": (UINT32, 1),
        **{f"llama.{key}": (UINT32, config[name]) for key, name in numbers.items()},
        "llama.rope.dimension_count": (UINT32, config["hidden_size"] // config["num_attention_heads"]),
        "llama.attention.layer_norm_rms_epsilon": (FLOAT32, config["rms_norm_eps"]),
        "tokenizer.ggml.model": (STRING, "llama"),
        "tokenizer.ggml.tokens": (STRING, [vocabulary.id_to_piece(token) for token in tokens]),
        "tokenizer.ggml.scores": (FLOAT32, [vocabulary.get_score(token) for token in tokens]),
        "tokenizer.ggml.token_type": (INT32, [token_kind(vocabulary, token) for token in tokens]),
        "tokenizer.ggml.bos_token_id": (UINT32, config["bos_token_id"]),
        "tokenizer.ggml.eos_token_id": (UINT32, config["eos_token_id"]),
    }
    write_gguf(out, metadata, list(tensors(folder, config)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
