"""Capability sets of known hosts (``capabilities.yaml``), for planning where no host runs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from .capabilities import Capabilities
from .errors import SettingsError

KNOWN_HOSTS = Path(__file__).with_name("capabilities.yaml")
NEWEST_WEBUI = "webui-v4.7.3"


@lru_cache(maxsize=1)
def _known() -> dict[str, Any]:
    known: dict[str, Any] = yaml.safe_load(KNOWN_HOSTS.read_text(encoding="utf-8"))
    return known


def _hosts() -> dict[str, dict[str, str]]:
    hosts: dict[str, dict[str, str]] = _known()["hosts"]
    return hosts


def known_hosts() -> tuple[str, ...]:
    return tuple(_hosts())


def known_capabilities(name: str, gpu: bool = True) -> Capabilities:
    """The capabilities of a host by name; a webui release may leave out ``webui-``. Raises SettingsError."""
    for candidate in (name, f"webui-{name}"):
        if candidate in _hosts():
            switch = _known()["attention_switch"].get(candidate, "")
            return Capabilities(candidate, dict(_hosts()[candidate]), gpu, attention_switch=switch)
    raise SettingsError(f"No capabilities named {name!r} are known. Use one of: {', '.join(known_hosts())}.")
