"""The facts of the model folder that was read last: while a model loads, its folder is asked for several times."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..model_facts import ModelFacts
from .model_folder import read_model_facts

#: The coarsest clock of a file system (FAT): a file that young may change once more without another time.
_SETTLED_NANOSECONDS = 2_000_000_000
_Stamp = frozenset[tuple[str, int, int, int, int]]


class RememberedFacts:
    """Reads a folder again as soon as a file in it came, went or was written since."""

    def __init__(self) -> None:
        self._last: tuple[Path, _Stamp, ModelFacts] | None = None

    def of(self, path: Path) -> ModelFacts:
        """As ``read_model_facts``, and raises what that raises."""
        last, stamp = self._last, _stamp(path)  # before it is read: what changes meanwhile is another stamp next time
        if last is not None and stamp is not None and (path, stamp) == last[:2]:
            return last[2]
        facts = read_model_facts(path)
        self._last = (path, stamp, facts) if stamp is not None else None
        return facts


def _stamp(path: Path) -> _Stamp | None:
    """Name, inode, size and times of every file beside or in ``path``; None where one is too young to tell."""
    newest = time.time_ns() - _SETTLED_NANOSECONDS
    stamp = set()
    try:
        with os.scandir(path if path.is_dir() else path.parent) as entries:
            for entry in entries:
                found = entry.stat()
                if max(found.st_mtime_ns, found.st_ctime_ns) > newest:
                    return None
                stamp.add((entry.name, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    except (OSError, ValueError):
        return None
    return frozenset(stamp)
