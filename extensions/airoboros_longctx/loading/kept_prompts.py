"""Prompts kept between requests, as the service asks for it: no failure of what only saves time is anybody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.ports import PrefixCache


class KeptPrompts:
    """``cache`` None: this host keeps no prompts. ``say`` takes a sentence about what went wrong."""

    def __init__(self, cache: PrefixCache | None, say: Callable[[str], None]) -> None:
        self._cache = cache
        self._say = say

    def watch(self, model: Any) -> None:
        """From now on the prompts of ``model`` are kept, as it is now; what was kept before is gone."""
        if self._cache is not None:
            cache = self._cache
            self._or_say("keep prompts", lambda: cache.watch(model))

    def release(self) -> None:
        """Nothing is kept any more."""
        if self._cache is not None:
            self._or_say("drop the kept prompts", self._cache.release)

    def invalidate(self) -> None:
        """What is kept is gone: the model is about to change."""
        if self._cache is not None:
            self._or_say("drop the kept prompts", self._cache.invalidate)

    def after(self, headline: str) -> str:
        """``headline`` with what is kept behind it. Pages poll it, so a failure says nothing."""
        try:
            kept = self._cache.status() if self._cache is not None else ""
        except Exception:
            kept = ""
        return f"{headline} · {kept}" if kept else headline

    def _or_say(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            self._say(f"Could not {what}: {type(error).__name__}: {error}. The model answers as without this.")
