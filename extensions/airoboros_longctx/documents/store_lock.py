"""One change of the store at a time, whichever program and thread makes it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .store_errors import DocumentStoreError

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _let_go(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _let_go(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


_PAUSE_SECONDS = 0.005


class StoreLock:
    """A lock file, which the system lets go of when a program ends, however it ends."""

    def __init__(self, path: Path, patience_seconds: float = 20.0) -> None:
        self._path = path
        self._patience_seconds = patience_seconds
        self._threads = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises DocumentStoreError where somebody else holds the lock for too long, OSError where it has no place."""
        until = time.monotonic() + self._patience_seconds
        if not self._threads.acquire(timeout=self._patience_seconds):
            raise self._busy()
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._wait(descriptor, until)
                try:
                    yield
                finally:
                    _let_go(descriptor)
            finally:
                os.close(descriptor)
        finally:
            self._threads.release()

    def _wait(self, descriptor: int, until: float) -> None:
        while True:
            try:
                _take(descriptor)
                return
            except (BlockingIOError, PermissionError):
                if time.monotonic() >= until:
                    raise self._busy() from None
                time.sleep(_PAUSE_SECONDS)

    def _busy(self) -> DocumentStoreError:
        return DocumentStoreError(
            f"The stored documents were not changed: another program has been changing them for "
            f"{self._patience_seconds:g} seconds. Try again."
        )
