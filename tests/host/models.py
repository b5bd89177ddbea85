"""The models that real webuis load in the tests, and what they must compute."""

from __future__ import annotations

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


def scores_offline(host: RealHost, folder: Path, model: Path, factor: float, input_ids: Any) -> Any:
    """Scores with the host's own Transformers in a fresh process, scaled by its own config or not at all."""
    np.savez(folder / "in.npz", input_ids=input_ids)
    script = Path(__file__).with_name("offline_scores.py")
    arguments = [str(model), str(factor), str(folder / "in.npz"), str(folder / "out.npz")]
    subprocess.run([str(host.python), str(script), *arguments], check=True, capture_output=True, timeout=300)
    return np.load(folder / "out.npz")["scores"]
