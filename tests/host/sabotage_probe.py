"""Commands of the probe extension that break steps of airoboros_longctx inside the server, and mend them again.

``sabotage`` reads dotted names from ``sabotage.names`` in the probe's folder.
"""

import importlib
import json
import os
import runpy
import sys
from pathlib import Path

FOLDER = Path(os.environ["LONGCTX_PROBE"])
_mend = []


def _package():
    return next(name for name in sys.modules if name.endswith("airoboros_longctx.service")).rpartition(".")[0]


def _modules(package):
    return [module for name, module in list(sys.modules.items()) if name.startswith(f"{package}.") and module]


def _owner(package, path):
    """The module or class that ``path`` names within ``package``."""
    head, _, last = path.rpartition(".")
    try:
        return importlib.import_module(f"{package}.{path}")
    except ImportError:
        return getattr(_owner(package, head), last)


def _break(step):
    package = _package()
    path, _, name = step.rpartition(".")
    owner = _owner(package, path)
    original = vars(owner)[name]

    def fail(*args, **kwargs):
        raise RuntimeError(f"injected:{step}")

    owners = [owner] if isinstance(owner, type) else _modules(package)
    bindings = [(place, key) for place in owners for key, value in list(vars(place).items()) if value is original]
    assert bindings, step
    for place, key in bindings:
        setattr(place, key, fail)
        _mend.append((place, key, original))


def _sabotage():
    for step in json.loads((FOLDER / "sabotage.names").read_text()):
        _break(step)
    return {}


def _repair():
    while _mend:
        place, key, original = _mend.pop()
        setattr(place, key, original)
    return {}


def _module(name):
    return sys.modules[f"{_package()}.{name}"]


def _script():
    """The script module that the webui calls."""
    return next(module for name, module in list(sys.modules.items()) if _is_our_script(name))


def _is_our_script(name):
    return name in ("extensions.airoboros_longctx.script", "user_ext_airoboros_longctx")


def _start():
    """What the webui does when it starts us, once more from the beginning."""
    extension = _module("extension")
    if extension._extension is not None:
        extension._extension.hooks.revert()
        extension._extension = None
    _script().setup()
    return {}


def _page():
    """Draw our part of the page and refresh it, as a browser would; what it shows and what a refresh returned."""
    import gradio as gr

    script = _script()
    with gr.Blocks() as blocks:
        script.ui()
    functions = blocks.fns.values() if isinstance(blocks.fns, dict) else blocks.fns
    ours = [function.fn for function in functions if "create_status_panel" in getattr(function.fn, "__qualname__", "")]
    shown = [str(block.value) for block in blocks.blocks.values() if isinstance(block, gr.HTML)]
    return {
        "shown": [*shown, *(str(function()) for function in ours)],
        "drawn": [script.custom_css(), script.custom_js()],
    }


def _chat():
    """A message with a document, and one in PLAINFORMAT, as the chat tab sends them."""
    act = runpy.run_path(str(Path(__file__).with_name("prompt_probe.py")))["COMMANDS"]["act"]
    answers = []
    for more in ({"documents": [{"text": "The harbor is teal."}]}, {"plainformat": True}):
        (FOLDER / "request.json").write_text(json.dumps({"way": "send", "text": "What color?", **more}))
        answers.append(act()["history"]["internal"][-1])
    return {"answers": answers}


def _pick():
    """What the Model tab does when a model is picked."""
    from modules import models_settings, shared

    state = dict.fromkeys(("truncation_length", "max_seq_len", "ctx_size", "cache_type", "gpu_layers"), 0)
    return dict(models_settings.apply_model_settings_to_state(shared.model_name, {"loader": "Transformers", **state}))


def _switch():
    """Take our extension out of the active ones, or put it back."""
    from modules import shared

    name = "airoboros_longctx"
    others = [extension for extension in shared.args.extensions if extension != name]
    shared.args.extensions = others if name in shared.args.extensions else [name, *others]
    return {}


COMMANDS = {
    "sabotage": _sabotage,
    "repair": _repair,
    "start": _start,
    "page": _page,
    "pick": _pick,
    "chat": _chat,
    "switch": _switch,
}
