"""Steps that may fail without anybody else failing: each becomes a sentence in the host's log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..core.errors import AiroborosLongctxError
from ..core.ports import Host

Result = TypeVar("Result")


class GuardedSteps:
    """``what`` completes the sentence "Could not …"."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def run(self, what: str, step: Callable[[], Result]) -> Result | None:
        """What ``step`` returns; None where it fails, which the log says."""
        try:
            return step()
        except Exception as error:
            self._host.log(failure(what, error), problem=True)
            return None


def failure(what: str, error: Exception) -> str:
    """The sentence for a step that failed; an error of our own is one already."""
    if isinstance(error, AiroborosLongctxError):
        return str(error)
    return f"Could not {what}: {type(error).__name__}: {error}. The model is as the loader left it."
