"""The threads in which tools run: daemons, and never more than so many at once in the whole program.

A thread cannot be ended from outside. One past its time is left behind: it counts until its tool returns, and the
program can end without it. ``concurrent.futures`` would wait for it at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

MOST_THREADS = 32


class ToolThreads:
    """At most ``most`` threads at once."""

    def __init__(self, most: int = MOST_THREADS) -> None:
        self.most = most
        self._free = threading.BoundedSemaphore(most)

    def start(self, work: Callable[[], None], name: str) -> bool:
        """Run ``work``, which raises nothing, in a thread of its own; False where all are taken."""
        if not self._free.acquire(blocking=False):
            return False

        def run() -> None:
            try:
                work()
            finally:
                self._free.release()

        try:
            threading.Thread(target=run, name=name, daemon=True).start()
        except RuntimeError:  # the system has no thread left
            self._free.release()
            return False
        return True


TOOL_THREADS = ToolThreads()
