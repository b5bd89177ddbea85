"""The real text-generation-webui releases on this machine, for the tests that run inside them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

#: The releases in which the long tests run: the last with AutoGPTQ's and ExLlama's first loaders, and today's.
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
    """The releases for the long tests: v1.7 and v4.7.3 where one is found, else all; with TEXTGEN_DEEP=all all."""
    found = find_hosts()
    deep = [] if every_host_is_deep() else [host for host in found if host.name in _DEEP]
    return deep or found


def every_host_is_deep() -> bool:
    return os.environ.get("TEXTGEN_DEEP") == "all"
