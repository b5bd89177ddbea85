"""What this webui can do, found by looking: which loaders it offers, which are installed, how each can be scaled."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...core.capabilities import Capabilities

#: What Transformers reads these weights with: each needs every one of the groups, of a group any package.
_WEIGHT_PACKAGES = {
    "gptq": (("optimum",), ("gptqmodel", "auto_gptq")),
    "awq": (("gptqmodel", "awq"),),
}
_SERVER_MODULE = "modules.llama_cpp_server"


def offered_loaders() -> tuple[str, ...]:
    """The loaders of the Model tab."""
    from modules import loaders

    return tuple(getattr(loaders, "loaders_and_params", {}))


def probe_capabilities(args: Any) -> Capabilities:
    """Look at the webui's loader table, the installed packages and the GPU. ``args`` is its ``shared.args``."""
    from .loader_settings.families import mechanism_of  # here, so that the webui starts without it

    offered = offered_loaders()
    missing = dict(missing_packages(offered, _places()))
    on_cpu = bool(getattr(args, "cpu", False))
    return Capabilities(
        host="webui",
        mechanisms={loader: mechanism_of(loader, args) for loader in offered if loader not in missing},
        gpu=not on_cpu and _gpu(),
        gpu_bytes=() if on_cpu else _gpu_bytes(),
        missing=missing,
        attention_switch=_attention_switch(args),
    )


@lru_cache(maxsize=4)
def missing_packages(
    offered: tuple[str, ...], _places: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What has to be installed first: for a loader, or for Transformers to read a format of weights.

    Looked for again once a package or a checkout came or went: that changes a folder of ``_places``.
    """
    missing = [(loader, _packages(loader)[:1]) for loader in offered if not _installed(loader)]
    for weights, groups in _WEIGHT_PACKAGES.items():
        if lacking := tuple(group[0] for group in groups if not any(map(_is_there, group))):
            missing.append((weights, lacking))
    return tuple(missing)


def _places() -> tuple[tuple[str, int], ...]:
    """The folders of packages and checkouts, and when each was last changed, in nanoseconds; 0 where it is none."""
    return tuple((place, _changed(place)) for place in (*sys.path, "repositories/"))


def _changed(place: str) -> int:
    try:
        return os.stat(place or ".").st_mtime_ns  # noqa: PTH116  # several times as quick as a Path
    except (OSError, ValueError):
        return 0


def _packages(loader: str) -> tuple[str, ...]:
    """What ``loader`` can be loaded with in this release, any one of them; empty where it needs nothing."""
    from .loader_settings.families import LLAMA_CPP, family_of

    family = family_of(loader)
    packages = family.packages
    if loader in LLAMA_CPP:
        server = _is_there(_SERVER_MODULE)
        packages = tuple(package for package in packages if package.endswith("binaries") is server)
    return (*packages, *([f"repositories/{family.folder}"] if family.folder else []))


def _installed(loader: str) -> bool:
    packages = _packages(loader)
    return not packages or any(Path(name).is_dir() if "/" in name else _is_there(name) for name in packages)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # no parent package, or a module without a specification
        return False


def _gpu() -> bool:
    try:
        import torch

        return bool(torch.cuda.is_available() or torch.backends.mps.is_available())
    except Exception:
        return False


def _gpu_bytes() -> tuple[int, ...]:
    """The memory of each NVIDIA or AMD GPU in bytes."""
    try:
        import torch

        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return tuple(int(torch.cuda.get_device_properties(index).total_memory) for index in range(count))
    except Exception:
        return ()


def _attention_switch(args: Any) -> str:
    """What to change where attention writes all its scores into memory at once; empty where it does not.

    The webui of 2023 has two switches for it; later ones ask for the eager kind only when they are told to.
    """
    if hasattr(args, "sdp_attention"):
        is_on = args.sdp_attention or getattr(args, "xformers", False)
        return "" if is_on else "start the webui with --sdp-attention"
    if getattr(args, "use_eager_attention", False):
        return "start the webui without --use_eager_attention"
    if getattr(args, "attn_implementation", "sdpa") == "eager":
        return "set attn_implementation to sdpa"
    return ""
