"""A real webui with functions of other names: what a release looks like that nobody prepared for."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from extensions.airoboros_longctx.host.webui.seams import SEAMS, Seam
from tests.contract.webui_source import WebuiSource
from tests.real_hosts import RealHost

_NOT_COPIED = shutil.ignore_patterns(".git", "__pycache__", "airoboros_longctx*", "longctx_probe", "*.gguf", "*.png")


def seams_of(host: RealHost) -> list[Seam]:
    """The seams that this release has."""
    source = WebuiSource(host.webui)
    return [seam for seam in SEAMS if source.has_function(f"{seam.module}.{seam.name}")]


def renamed_host(host: RealHost, folder: Path, names: Iterable[str]) -> RealHost:
    """A copy of ``host`` in ``folder`` that calls the functions ``names`` by others, wherever it names them."""
    copy = folder / "webui"
    shutil.copytree(host.webui, copy, symlinks=True, ignore=_NOT_COPIED)
    # Not what only shares the name: modules.transformers_loader is a file.
    pattern = re.compile(rf"(?<!modules\.)\b({'|'.join(map(re.escape, names))})\b")
    for path in [copy / "server.py", *copy.glob("modules/**/*.py"), *copy.glob("extensions/**/*.py")]:
        text = path.read_text(encoding="utf-8")
        changed = pattern.sub(r"renamed_\1", text)
        if changed != text:
            path.write_text(changed, encoding="utf-8")
    return RealHost(f"{host.name}, renamed", copy, host.python)
