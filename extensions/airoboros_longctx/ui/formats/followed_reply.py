"""A reply that is read in a thread of its own, so that Stop ends the waiting at once, whoever the model answers now."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

_LOOK_EVERY_SECONDS = 0.1


def followed(replies: Iterator[str], stopping: threading.Event) -> Iterator[str]:
    """The same as ``replies``, which ends by itself soon after ``stopping`` is set; nobody waits for that here.

    ``stopping`` is set where this is closed before its end. Raises what ``replies`` raises.
    """
    parts: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()

    def read() -> None:
        try:
            for reply in replies:
                parts.put(reply)
            parts.put(None)
        except Exception as error:
            parts.put(error)

    threading.Thread(target=read, name="airoboros_longctx-reply", daemon=True).start()
    try:
        while not stopping.is_set():
            try:
                part = parts.get(timeout=_LOOK_EVERY_SECONDS)
            except queue.Empty:
                continue
            if part is None:
                return
            if isinstance(part, Exception):
                raise part
            yield part
    except GeneratorExit:
        stopping.set()
        raise
