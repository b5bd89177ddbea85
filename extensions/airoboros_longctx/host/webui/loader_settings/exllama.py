"""ExLlama and ExLlama_HF: with several whole models in a folder they take whatever the file system names last."""

from __future__ import annotations

import importlib
from typing import Any

from ....core.ports import Undo
from .load import Load, set_attributes

MODULES = {"ExLlama": "modules.exllama", "ExLlama_HF": "modules.exllama_hf"}


def take_planned_file(load: Load) -> Undo:
    """While the loader runs, the model is built from the planned weight file."""
    if load.plan.weight_file is None:
        return lambda: None
    file = load.path / load.plan.weight_file
    try:
        module = importlib.import_module(MODULES[load.plan.loader])
    except Exception:  # the package is not there: the load itself says so
        return lambda: None
    build = getattr(module, "ExLlama", None)
    if build is None or not file.is_file():
        return lambda: None

    def build_from_planned_file(config: Any, *args: Any, **kwargs: Any) -> Any:
        config.model_path = str(file)
        return build(config, *args, **kwargs)

    return set_attributes(module, {"ExLlama": build_from_planned_file})
