"""Run with a webui's own Python: scores of the next token with Transformers' own linear scaling, without us.

python offline_scores.py MODEL_FOLDER FACTOR IN.npz OUT.npz [LORA_FOLDER]
"""

import sys

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, LogitsProcessor


class FirstScores(LogitsProcessor):
    def __call__(self, input_ids, scores):
        self.scores = scores
        return scores


def main(folder: str, factor: float, source: str, target: str, adapter: str = "") -> None:
    torch.set_num_threads(1)
    config = AutoConfig.from_pretrained(folder)
    if factor != 1:
        scaling = {"type": "linear", "rope_type": "linear", "factor": factor}
        if hasattr(config, "rope_parameters"):
            config.rope_parameters = {**config.rope_parameters, **scaling}
        else:
            config.rope_scaling = {"type": "linear", "factor": factor}
    model = AutoModelForCausalLM.from_pretrained(folder, config=config, torch_dtype=torch.float32).eval()
    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter).eval()
    ids = torch.tensor(np.load(source)["input_ids"])[None]
    first = FirstScores()
    with torch.no_grad():
        model.generate(input_ids=ids, max_new_tokens=1, do_sample=False, logits_processor=[first])
    np.savez(target, scores=first.scores[0].float().numpy())


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *sys.argv[3:])
