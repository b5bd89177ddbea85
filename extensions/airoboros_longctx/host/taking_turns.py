"""One forward pass at a time under a lock that others wait for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

#: A lock that is let go and taken again at once never reaches those who wait for it.
_LET_OTHERS_IN_SECONDS = 0.005


@contextmanager
def taking_turns(lock: AbstractContextManager[Any]) -> Iterator[None]:
    """Hold ``lock``, and wait a moment after it was let go."""
    with lock:
        yield
    time.sleep(_LET_OTHERS_IN_SECONDS)
