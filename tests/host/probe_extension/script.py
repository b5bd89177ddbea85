"""A test-only webui extension: writes what reaches the model, and runs a few commands inside the server.

Works in every release, so the tests can look at the live server without our extension being there.
``LONGCTX_PROBE`` names the folder it talks through, ``LONGCTX_PROBE_MORE`` a file with more ``COMMANDS``.
"""

import json
import os
import runpy
import sys
import threading
import time
import traceback
from pathlib import Path

FOLDER = Path(os.environ["LONGCTX_PROBE"])
params = {}
_state = {}


def setup():
    threading.Thread(target=_listen, daemon=True).start()


def state_modifier(state):
    _state["truncation_length"] = state.get("truncation_length")
    return state


def logits_processor_modifier(processor_list, input_ids):
    _read_in_one_pass((FOLDER / "in_one_pass").exists())
    processor_list.append(_FirstScores())
    return processor_list


def _read_in_one_pass(wanted):
    """What is compared bit for bit with the library's own scores must be read as the library reads it."""
    for name, module in list(sys.modules.items()):
        if name.endswith("airoboros_longctx.extension") and hasattr(module, "params"):
            keeps = _state.setdefault("keeps", module.params.get("prefix_cache"))
            module.params["prefix_cache"] = keeps and not wanted


class _FirstScores:
    """Saves the ids of the prompt and the scores of the first new token."""

    def __init__(self):
        self.done = False

    def __call__(self, input_ids, scores):
        if not self.done:
            self.done = True
            import numpy

            numpy.savez(
                FOLDER / "scores.tmp.npz",
                input_ids=input_ids[0].cpu().numpy(),
                scores=scores[0].float().cpu().numpy(),
                truncation_length=_state.get("truncation_length") or 0,
            )
            (FOLDER / "scores.tmp.npz").replace(FOLDER / "scores.npz")
        return scores


def _listen():
    while True:
        time.sleep(0.05)
        for command in FOLDER.glob("*.command"):
            name = command.stem
            command.unlink()
            try:
                answer = COMMANDS[name]()
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {error}\n{traceback.format_exc()}"}
            temporary = FOLDER / f"{name}.tmp"
            temporary.write_text(json.dumps(answer))
            temporary.replace(FOLDER / f"{name}.answer")


def _window():
    from modules import shared

    keys = ("max_seq_len", "ctx_size", "compress_pos_emb", "loader")
    return {
        "truncation_length": shared.settings.get("truncation_length"),
        "model_name": shared.model_name,
        "loaded": shared.model is not None,
        **{key: getattr(shared.args, key) for key in keys if hasattr(shared.args, key)},
    }


def _idle_unload():
    from modules import models

    models.unload_model(keep_model_name=True)
    return {}


def _started():
    """Whether the webui has opened its page: its own thread then waits in server.py, and in nothing called there."""
    seen = [_line_of_the_webui()]
    time.sleep(0.1)
    seen.append(_line_of_the_webui())
    return {"started": seen[0] == seen[1] is not None}


def _line_of_the_webui():
    frame = sys._current_frames()[threading.main_thread().ident]
    return frame.f_lineno if Path(frame.f_code.co_filename).name == "server.py" else None


COMMANDS = {"window": _window, "idle_unload": _idle_unload, "started": _started}
if os.environ.get("LONGCTX_PROBE_MORE"):
    COMMANDS.update(runpy.run_path(os.environ["LONGCTX_PROBE_MORE"])["COMMANDS"])
