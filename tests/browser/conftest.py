"""The pages are those of the real webuis that tests/host starts, with the same models."""

from __future__ import annotations

import pytest

from tests.host.conftest import host, models, offline_scores, start
from tests.real_hosts import RealHost, every_host_is_deep

__all__ = ["host", "models", "offline_scores", "start"]


@pytest.fixture
def newest(host: RealHost) -> None:
    """What is the same in old webuis is tried there on demand: each page takes a quarter of a minute."""
    if not (host.webui / "modules" / "api").is_dir() and not every_host_is_deep():
        pytest.skip("in old webuis with TEXTGEN_DEEP=all")
