"""Logits of tiny models, each computed in a process in which nothing else has happened.

Run as ``python -m tests.unit.rope.fresh_process CHECKPOINT ADAPTER``: a configuration as JSON on a line of stdin is
answered by a digest on a line of stdout. This process only imports the libraries, which takes seconds, and does nothing
with them; a child forked from it computes the answer and ends.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import torch

from extensions.airoboros_longctx.core.rope_scaling import RopeScaling
from extensions.airoboros_longctx.rope.class_patch import patch_llama_rope
from tests.unit.rope.tiny_llama import BASE_WINDOW, load, logits

ROOT = Path(__file__).resolve().parents[3]
LONG = 5 * BASE_WINDOW


class Running(NamedTuple):
    """What a model runs: a method and its factor ("dynamic" is the library's own), with the adapter or without."""

    rope_type: str = "default"
    factor: float = 1.0
    lora: bool = False

    @property
    def scaling(self) -> RopeScaling:
        return RopeScaling(self.rope_type, self.factor, BASE_WINDOW)


def with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(model, adapter).eval()


def digest(model: Any) -> str:
    made = logits(model, LONG)
    return f"{tuple(made.shape)} {hashlib.sha256(made.numpy().tobytes()).hexdigest()}"


def compute(running: Running, checkpoint: Path, adapter: Path) -> str:
    """Linear and dynamic scaling by the library itself, as the configuration states it; the others by the class."""
    if running.rope_type in ("linear", "dynamic"):
        model = load(checkpoint, running.factor, rope_type=running.rope_type)
    elif running.rope_type == "default":
        model = load(checkpoint)
    else:
        patch_llama_rope(running.scaling)
        model = load(checkpoint)
    return digest(with_adapter(model, adapter) if running.lora else model)


class FreshProcess:
    """Answers by configuration, each computed once."""

    def __init__(self, checkpoint: Path, adapter: Path) -> None:
        command = [sys.executable, "-m", __name__, str(checkpoint), str(adapter)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        self._known: dict[Running, str] = {}

    def digest(self, running: Running) -> str:
        if running not in self._known:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(running) + "\n")
            self._process.stdin.flush()
            self._known[running] = self._process.stdout.readline().strip()
        return self._known[running]

    def __enter__(self) -> FreshProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def answer_each(checkpoint: Path, adapter: Path) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answer = "no answer"
            try:
                answer = compute(Running(*json.loads(line)), checkpoint, adapter)
            finally:
                print(answer, flush=True)
                os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    answer_each(Path(sys.argv[1]), Path(sys.argv[2]))
