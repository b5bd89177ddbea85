"""What this webui can do, found by looking: which loaders it offers, which are installed, how each can be scaled."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.context_plan import LOADER_SETTING, MODEL_CONFIG, NONE, PATCH, Capabilities
from .webui_seams import FACTOR_KEY

#: Loaders whose models are built by Transformers' Llama: the patch reaches them in every release.
_PATCHED = ("Transformers", "AutoGPTQ")
#: Loaders that read config.json and nothing else.
_CONFIG_ONLY = ("ExLlamav3", "ExLlamav3_HF")
#: Loaders with a knob of their own for the linear factor, where the release still passes it on.
_OWN_KNOB = ("ExLlama", "ExLlama_HF", "ExLlamav2", "ExLlamav2_HF", "llama.cpp", "llamacpp_HF", "ctransformers")
#: Where a loader's package is looked for before the loader is planned.
_PACKAGES = {"AutoGPTQ": "auto_gptq", "ExLlama": "exllama", "ExLlama_HF": "exllama"}
_REPOSITORIES = {"ExLlama": "exllama", "ExLlama_HF": "exllama"}


def probe_capabilities(args: Any) -> Capabilities:
    """Look at the webui's loader table, the installed packages and the GPU. ``args`` is its ``shared.args``."""
    from modules import loaders

    offered = tuple(getattr(loaders, "loaders_and_params", {}))
    has_knob = hasattr(args, FACTOR_KEY)
    return Capabilities(
        host="webui",
        mechanisms={loader: _mechanism(loader, has_knob) for loader in offered if _installed(loader)},
        gpu=not getattr(args, "cpu", False) and _gpu(),
    )


def _mechanism(loader: str, has_knob: bool) -> str:
    if loader in _PATCHED:
        return PATCH
    if loader in _CONFIG_ONLY:
        return MODEL_CONFIG
    return LOADER_SETTING if loader in _OWN_KNOB and has_knob else NONE


def _installed(loader: str) -> bool:
    package = _PACKAGES.get(loader)
    if package is None or find_spec(package) is not None:
        return True
    repository = _REPOSITORIES.get(loader)
    return repository is not None and (Path("repositories") / repository).is_dir()


def _gpu() -> bool:
    try:
        import torch

        return bool(torch.cuda.is_available() or torch.backends.mps.is_available())
    except Exception:
        return False
