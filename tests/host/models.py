"""The models that real webuis load in the tests, and what they must compute."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.host.running_host import REPOSITORY
from tests.real_hosts import RealHost

DEMO = REPOSITORY / "demo" / "models" / "airoboros-tiny-1.4.1-PI-1024"
WINDOW, BASE, FACTOR = 1024, 256, 4
CONFIRMED = "linear ×4 · 1024 tokens · Transformers · confirmed on the live model"
#: Longer than the base window, whatever the tokenizer makes of it, and well inside the scaled one.
LONG = "The color of the harbor is teal. The code of Alda is 4417. " * 24


@dataclass(frozen=True)
class Models:
    """Folders: one that states its scaling in its card, one that is plain, one whose weights are broken."""

    scaled: Path
    plain: Path
    broken: Path

    def all(self) -> tuple[Path, ...]:
        return (self.scaled, self.plain, self.broken)


def make_models(folder: Path) -> Models:
    plain = folder / "plain-llama"
    shutil.copytree(DEMO, plain, ignore=shutil.ignore_patterns("README.md"))
    broken = folder / "broken-llama"
    shutil.copytree(DEMO, broken)
    (broken / "model.safetensors").write_bytes(b"not a safetensors file")
    return Models(DEMO, plain, broken)


def make_lora(folder: Path) -> Path:
    """A LoRA for the shipped model that changes its answers, with a card that states the scaling."""
    from safetensors.numpy import save_file

    lora = folder / "tiny-PI-1024-LoRA"
    lora.mkdir(parents=True)
    config = json.loads((DEMO / "config.json").read_text())
    size, rank = config["hidden_size"], 4
    numbers = np.random.default_rng(7)
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        weights[f"{name}.lora_A.weight"] = numbers.normal(0, 0.1, (rank, size)).astype(np.float32)
        weights[f"{name}.lora_B.weight"] = numbers.normal(0, 0.1, (size, rank)).astype(np.float32)
    save_file(weights, lora / "adapter_model.safetensors", {"format": "pt"})
    stated = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "plain-llama", "r": rank}
    stated |= {"lora_alpha": 8, "lora_dropout": 0.0, "bias": "none", "target_modules": ["q_proj"]}
    (lora / "adapter_config.json").write_text(json.dumps(stated))
    (lora / "README.md").write_text(f"Set max_seq_len to {WINDOW} and compress_pos_emb to {FACTOR}.\n")
    return lora


def scores_offline(
    host: RealHost, folder: Path, model: Path, factor: float, input_ids: Any, lora: Path | None = None
) -> Any:
    """Scores with the host's own Transformers in a fresh process, scaled by its own config or not at all."""
    np.savez(folder / "in.npz", input_ids=input_ids)
    script = Path(__file__).with_name("offline_scores.py")
    arguments = [str(model), str(factor), str(folder / "in.npz"), str(folder / "out.npz")]
    arguments += [str(lora)] if lora else []
    subprocess.run([str(host.python), str(script), *arguments], check=True, capture_output=True, timeout=300)
    return np.load(folder / "out.npz")["scores"]
