"""Run with a webui's own Python: a small Llama rounded to 4 bits in groups of 128, as a GPTQ folder of today.

python round_model.py MODEL_FOLDER OUT_FOLDER

Rounding to the nearest step in place of GPTQ: the format is the same, and nothing but torch is needed. config.json
states the quantisation, as Transformers reads it, and quantize_config.json as AutoGPTQ does; neither states a scaling.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

BITS, GROUP_SIZE, ZERO_POINT = 4, 128, 8
PER_WORD = 32 // BITS


def rounded(weight):
    """``weight`` of shape (outputs, inputs) as packed integers; stored zero points are 1 less than the real ones."""
    outputs, inputs = weight.shape
    groups = weight.float().t().reshape(inputs // GROUP_SIZE, GROUP_SIZE, outputs)
    scales = groups.abs().amax(1) / (ZERO_POINT - 0.5)
    steps = (groups / scales[:, None]).round().add(ZERO_POINT).clamp(0, 2**BITS - 1).to(torch.int64)
    places = BITS * torch.arange(PER_WORD)[None, :, None]
    words = (steps.reshape(inputs // PER_WORD, PER_WORD, outputs) << places).sum(1)
    zeros = sum((ZERO_POINT - 1) << (BITS * place) for place in range(PER_WORD))
    return {
        "qweight": torch.where(words >= 2**31, words - 2**32, words).to(torch.int32).contiguous(),
        "qzeros": torch.full((inputs // GROUP_SIZE, outputs // PER_WORD), zeros, dtype=torch.int32),
        "scales": scales.half().contiguous(),
        "g_idx": torch.arange(inputs, dtype=torch.int32) // GROUP_SIZE,
    }


def main(folder: Path, out: Path) -> None:
    tensors = {}
    for name, weight in load_file(folder / "model.safetensors").items():
        if name.endswith("_proj.weight"):
            layer = name.removesuffix("weight")
            tensors.update({layer + kind: values for kind, values in rounded(weight).items()})
        else:
            tensors[name] = weight.half().contiguous()
    out.mkdir(parents=True)
    for file in (*folder.glob("*token*"), folder / "README.md"):
        shutil.copy(file, out)
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {
        "quant_method": "gptq",
        "bits": BITS,
        "group_size": GROUP_SIZE,
        "desc_act": False,
        "sym": True,
    }
    (out / "config.json").write_text(json.dumps(config, indent=2))
    of_auto_gptq = {"true_sequential": True, "damp_percent": 0.01, "model_name_or_path": None}
    stated = {key: value for key, value in config["quantization_config"].items() if key != "quant_method"}
    (out / "quantize_config.json").write_text(json.dumps({**stated, **of_auto_gptq}, indent=2))
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
