"""Documents that were read before, so that a prompt over a hundred of them reads none again."""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from pathlib import Path

from ..core.documents.chat_session import ChatDocument

Key = tuple[str, int, int]


def cache_key(path: Path, found: os.stat_result) -> Key:
    """Names the content of a file: another one has another time or size."""
    return str(path), found.st_mtime_ns, found.st_size


class DocumentCache:
    """At most ``most_bytes`` of memory for texts; what was used longest ago is forgotten first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._documents: OrderedDict[Key, ChatDocument] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Key) -> ChatDocument | None:
        with self._lock:
            if key in self._documents:
                self._documents.move_to_end(key)
            return self._documents.get(key)

    def put(self, key: Key, document: ChatDocument) -> None:
        with self._lock:
            if key in self._documents:
                return
            self._documents[key] = document
            self._bytes += _bytes(document)
            while self._bytes > self._most_bytes:
                self._bytes -= _bytes(self._documents.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._documents.clear()
            self._bytes = 0


def _bytes(document: ChatDocument) -> int:
    metadata = [part for pair in document.metadata for part in pair]
    return sum(map(sys.getsizeof, (document.title, document.text, *metadata)))
