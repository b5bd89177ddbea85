"""The real text-generation-webui releases on this machine, for the tests that run inside them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

#: TEXTGEN_DEEP=all runs everything in every release found.
THOROUGH = os.environ.get("TEXTGEN_DEEP") == "all"
_DEEP = ("v1.7", "v4.7.3")


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


def deep_hosts() -> list[RealHost]:
    """The releases that the long tests run in: v1.7 and v4.7.3 where found, else all that are."""
    found = find_hosts()
    return found if THOROUGH else [host for host in found if host.name in _DEEP] or found
