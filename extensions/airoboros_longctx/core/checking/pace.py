"""How far a check is, and how long the rest will take."""

from __future__ import annotations

from .check_result import CheckProgress


class Pace:
    """Work is counted in tokens read."""

    def __init__(self) -> None:
        self._planned = 0
        self._done = 0
        self._share = 0.0

    def plan(self, tokens: int) -> None:
        """So many tokens more are to be read. The share does not fall by it."""
        self._planned += tokens

    def after(self, tokens: int, seconds: float, doing: str) -> CheckProgress:
        """The progress once ``tokens`` more were read, ``seconds`` after the beginning."""
        self._done += tokens
        self._planned = max(self._planned, self._done)
        self._share = max(self._share, self._done / self._planned)
        return CheckProgress(self._share, seconds * (self._planned - self._done) / self._done, doing)


def spoken_time(seconds: float) -> str:
    """Rounded: ``40 s``, ``3 min``, ``1 h 20 min``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
