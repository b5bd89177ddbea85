"""The last check of each model, kept in a folder that is served to nobody."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..core.checking.check_result import CheckResult
from ..core.checking.result_file import as_json, read_result
from .atomic_files import make_folder, sync_folder, write_file

#: Beside the shelves of documents, whose names are of another form.
FOLDER = "checks"


class CheckStore:
    """Keeps results in ``folder``, one for each ``mark``, which names a model and how it runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, mark: str) -> CheckResult | None:
        """The last result for ``mark``; None where there is none that can be read: another check mends that."""
        try:
            return read_result(self._path(mark))
        except Exception:  # a file on a disk can be damaged in any way
            return None

    def keep(self, mark: str, result: CheckResult) -> None:
        """Raises OSError; what was kept before is then still there."""
        make_folder(self._folder)
        write_file(self._path(mark), as_json(result).encode())
        sync_folder(self._folder)

    def _path(self, mark: str) -> Path:
        return self._folder / f"{hashlib.sha256(mark.encode('utf-8', 'replace')).hexdigest()[:32]}.json"
