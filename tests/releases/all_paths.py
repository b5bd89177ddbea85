"""Runs the paths of one release, one after the other; a failing one does not stop the next."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.real_hosts import RealHost
from tests.releases.loader_tests import loader_rows
from tests.releases.paths import PATHS
from tests.releases.release_run import Absent, running, seen_on
from tests.releases.rows import ABSENT, FAILED, PASSED, Row

#: Oldest first. Others that are found run as well.
KNOWN_RELEASES = (
    "v1.3.1",
    "v1.5",
    "v1.7",
    "snapshot-2023-12-31",
    "v1.16",
    "v2.0",
    "v2.8.1",
    "v3.14",
    "v3.23",
    "v4.0",
    "v4.7.3",
)


def rows_of(host: RealHost, only: Sequence[str] = ()) -> Iterator[Row]:
    """A row for each path of ``host``; ``only`` keeps those whose name contains one of these texts."""
    seen = seen_on(host)
    yield from _webui_rows(host, seen, only)
    yield from loader_rows(host, seen, only)


def _webui_rows(host: RealHost, seen: str, only: Sequence[str]) -> Iterator[Row]:
    if only and not any(text in path for text in only for path in PATHS):
        return
    with tempfile.TemporaryDirectory() as folder, running(host, Path(folder)) as run:
        for path, check in PATHS.items():
            if only and not any(text in path for text in only):
                continue
            try:
                yield Row(host.name, path, PASSED, check(run), seen)
            except Absent as reason:
                yield Row(host.name, path, ABSENT, str(reason), seen)
            except Exception as error:
                first_lines = " ".join(str(error).split())[:300]
                yield Row(host.name, path, FAILED, f"{type(error).__name__}: {first_lines}", seen)
