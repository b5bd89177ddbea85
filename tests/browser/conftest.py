"""The pages are those of the real webuis that tests/host starts, with the same models."""

from __future__ import annotations

from tests.host.conftest import host, models, offline_scores, start

__all__ = ["host", "models", "offline_scores", "start"]
