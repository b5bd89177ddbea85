"""Run with a webui's own Python: scores of the next token of a GPTQ model with auto_gptq alone, without us.

python offline_gptq_scores.py MODEL_FOLDER FUSED_ATTENTION(0|1) IN.npz OUT.npz

A scaling is whatever the folder's config.json states: Transformers' own.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from auto_gptq import AutoGPTQForCausalLM
from transformers import LogitsProcessor


class FirstScores(LogitsProcessor):
    def __call__(self, input_ids, scores):
        self.scores = scores
        return scores


def main(folder: str, fused_attention: bool, source: str, target: str) -> None:
    torch.set_num_threads(1)
    model = AutoGPTQForCausalLM.from_quantized(
        folder,
        model_basename=next(Path(folder).glob("*.safetensors")).stem,
        device="cpu",
        use_safetensors=True,
        inject_fused_attention=fused_attention,
    )
    ids = torch.tensor(np.load(source)["input_ids"])[None]
    first = FirstScores()
    model.generate(inputs=ids, max_new_tokens=1, do_sample=False, logits_processor=[first])
    np.savez(target, scores=first.scores[0].float().numpy())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "1", sys.argv[3], sys.argv[4])
