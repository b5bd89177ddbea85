"""Runs inside a webui, through the tests' probe extension: notes when it begins to load each of its extensions.

The webui says so in its log before each; the probe is its first and last extension, so every other one has an end.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import itertools
import logging
import time
from typing import Any

_begun: list[tuple[str, float]] = []


class _Noting(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message.startswith("Loading the extension"):
            _begun.append((message.split('"')[1], time.process_time()))


def _listen() -> None:
    from modules.logging_colors import logger

    logger.addHandler(_Noting())


def _extensions() -> dict[str, Any]:
    """The processor's seconds from the begin of each extension to the begin of the next."""
    return {name: after - at for (name, at), (_, after) in itertools.pairwise(_begun)}


def _processor() -> dict[str, Any]:
    """The processor's seconds that this process has taken, all its threads together."""
    return {"seconds": time.process_time()}


def _trim() -> dict[str, Any]:
    """Give unused memory back to the system, so that what is resident is in use; glibc alone can be told to."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return {}


_listen()
COMMANDS = {"extensions": _extensions, "processor": _processor, "trim": _trim}
