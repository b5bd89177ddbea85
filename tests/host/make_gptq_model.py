"""Run with a webui's own Python: a tiny Llama whose linear layers are packed 4-bit weights, as GPTQ writes them.

python make_gptq_model.py TOKENIZER_FOLDER OUT_FOLDER

The packed integers are random (what is tested is the way through the loaders, not the quantisation); the rest is a
freshly initialised Llama. No card: the folder states a base window of 256 and no scaling.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

BITS, GROUP_SIZE, ZERO_POINT = 4, 128, 8
PER_WORD = 32 // BITS


def packed(rows: int, columns: int) -> dict[str, torch.Tensor]:
    """A linear layer of ``rows`` inputs and ``columns`` outputs in AutoGPTQ's layout; it stores zero points minus 1."""
    groups = rows // GROUP_SIZE
    zeros = sum((ZERO_POINT - 1) << (BITS * nibble) for nibble in range(PER_WORD))
    return {
        "qweight": torch.randint(-(2**31), 2**31 - 1, (rows // PER_WORD, columns), dtype=torch.int32),
        "qzeros": torch.full((groups, columns // PER_WORD), zeros, dtype=torch.int32),
        "scales": (torch.rand(groups, columns) * 0.01 + 0.01).half(),
        "g_idx": torch.arange(rows, dtype=torch.int32) // GROUP_SIZE,
    }


def main(tokenizer: Path, out: Path) -> None:
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=json.loads((tokenizer / "config.json").read_text())["vocab_size"],
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=256,
        pad_token_id=0,
        tie_word_embeddings=False,
        torch_dtype="float16",
    )
    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in LlamaForCausalLM(config).half().state_dict().items():
        if name.endswith("_proj.weight"):
            outputs, inputs = tensor.shape
            layer = name.removesuffix("weight")
            tensors.update({layer + kind: values for kind, values in packed(inputs, outputs).items()})
        elif not name.endswith("inv_freq"):
            tensors[name] = tensor.contiguous()
    out.mkdir(parents=True)
    for file in tokenizer.glob("*token*"):
        shutil.copy(file, out)
    # Written by hand: no rope_theta and no rope_scaling, like the configurations of 2023.
    stated = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "float16"}
    stated["rms_norm_eps"] = config.rms_norm_eps
    for key in (
        "vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads hidden_act "
        "max_position_embeddings initializer_range bos_token_id eos_token_id pad_token_id tie_word_embeddings use_cache"
    ).split():
        stated[key] = getattr(config, key)
    (out / "config.json").write_text(json.dumps(stated, indent=2))
    quantization = {"bits": BITS, "group_size": GROUP_SIZE, "desc_act": False, "sym": True, "true_sequential": True}
    quantization.update(damp_percent=0.01, model_name_or_path=None, model_file_base_name=None)
    (out / "quantize_config.json").write_text(json.dumps(quantization, indent=2))
    save_file(tensors, out / f"gptq_model-{BITS}bit-{GROUP_SIZE}g.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
