"""The workbench keeps prompts too: through its own thread, streamer and attention mask, and until it unloads."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path

import pytest
import transformers

from extensions.airoboros_longctx.workbench import Workbench

TEXT = "The color of the harbor is teal. The code of Alda is 4417. " * 12


@pytest.mark.skipif(transformers.__version__.startswith("4."), reason="the workbench runs with the newest Transformers")
def test_the_next_question_in_the_workbench(tmp_path: Path) -> None:
    workbench = Workbench(tmp_path)
    workbench.load(workbench.shipped_models()[0])

    def ask(question: str) -> str:
        return list(workbench.reply(TEXT + question, [], 16, 0.0, threading.Event()))[-1]

    assert ask("What is the color of the harbor?").startswith("The color of the harbor is teal.")
    assert ask("What is the code of Alda?").startswith("The code of Alda is 4417.")
    loaded = workbench.host.loaded_model()
    assert loaded is not None
    generate = vars(loaded.model)["generate"]
    assert generate.last[0] > 200
    assert generate.last[1] < 20
    assert f"prefix of {sum(generate.last) - 1} tokens kept, 2 MiB" in workbench.service.status().headline
    store = weakref.ref(generate.store)
    del loaded, generate
    workbench.host.unload()
    assert store() is None
    assert workbench.service.status().headline == "No model is loaded."
