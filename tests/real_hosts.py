"""The real text-generation-webui releases on this machine, for the tests that run inside them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RealHost:
    """One release: ``<name>/webui`` is a checkout, ``<name>/venv`` the Python that it runs with."""

    name: str
    webui: Path
    python: Path


def hosts_folder() -> Path:
    return Path(os.environ.get("TEXTGEN_HOSTS") or "~/textgen-hosts").expanduser()


def find_hosts() -> list[RealHost]:
    """Every release in the folder that TEXTGEN_HOSTS names (usually ~/textgen-hosts); none is a normal answer."""
    hosts = []
    for folder in sorted(hosts_folder().glob("*")):
        webui = folder / "webui"
        pythons = [folder / "venv" / "bin" / "python", folder / "venv" / "Scripts" / "python.exe"]
        python = next((path for path in pythons if path.exists()), None)
        if python is not None and (webui / "server.py").is_file():
            hosts.append(RealHost(folder.name, webui, python))
    return hosts
