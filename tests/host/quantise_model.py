"""Run with a webui's own Python: real GPTQ of a small Llama with auto_gptq, on the CPU.

python quantise_model.py MODEL_FOLDER FACTOR DESC_ACT(0|1) EXAMPLES.json OUT_FOLDER

``EXAMPLES.json`` is a list of lists of token ids to calibrate with. They are read with the linear ``FACTOR`` that the
model was trained with; what is written states no scaling, as the published quantised models do.
"""

import json
import shutil
import sys
from pathlib import Path

import auto_gptq.modeling._base as base
import auto_gptq.quantization.gptq as gptq
import torch
from auto_gptq.modeling import LlamaGPTQForCausalLM
from transformers import LlamaForCausalLM

BITS, GROUP_SIZE = 4, 128


def without_a_gpu() -> None:
    """auto_gptq quantises on the first GPU, whatever it is told."""
    base.CUDA_0 = torch.device("cpu")
    torch.cuda.empty_cache = torch.cuda.synchronize = gptq.torch.cuda.synchronize = lambda *args: None


def main(folder: Path, factor: float, desc_act: bool, examples: Path, out: Path) -> None:
    torch.manual_seed(7)
    torch.set_num_threads(1)
    without_a_gpu()
    scaling = {"type": "linear", "factor": factor}
    model = LlamaForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, rope_scaling=scaling)
    model.seqlen = model.config.max_position_embeddings
    quantise = base.BaseQuantizeConfig(bits=BITS, group_size=GROUP_SIZE, desc_act=desc_act, damp_percent=0.01)
    quantised = LlamaGPTQForCausalLM(model, False, quantise)
    rows = [torch.tensor([ids]) for ids in json.loads(examples.read_text())]
    quantised.quantize(
        [{"input_ids": ids, "attention_mask": torch.ones_like(ids)} for ids in rows], cache_examples_on_gpu=False
    )
    quantised.model.half()
    quantised.model.config.rope_scaling = None
    quantised.model.config.torch_dtype = torch.float16
    quantised.save_quantized(str(out), use_safetensors=True)
    for file in folder.glob("*token*"):
        shutil.copy(file, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "1", Path(sys.argv[4]), Path(sys.argv[5]))
