"""Which of the releases on a machine the long tests run in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.one_process_per_host import piece_of_work
from tests.real_hosts import deep_hosts, find_hosts


@pytest.mark.parametrize(
    ("found", "everything", "deep"),
    [
        (["v1.5", "v1.7", "v3.23", "v4.7.3"], "", ["v1.7", "v4.7.3"]),
        (["v1.5", "v1.7", "v3.23", "v4.7.3"], "all", ["v1.5", "v1.7", "v3.23", "v4.7.3"]),
        (["v1.5", "v4.7.3"], "", ["v4.7.3"]),
        (["v1.5", "v3.23"], "", ["v1.5", "v3.23"]),
        ([], "", []),
        ([], "all", []),
    ],
)
def test_the_long_tests_run_in_few_releases(found, everything, deep, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TEXTGEN_HOSTS", str(tmp_path))
    monkeypatch.setenv("TEXTGEN_DEEP", everything)
    for name in found:
        for path in ("webui/server.py", "venv/bin/python"):
            (tmp_path / name / path).parent.mkdir(parents=True)
            (tmp_path / name / path).touch()
    assert [host.name for host in find_hosts()] == found
    assert [host.name for host in deep_hosts()] == deep


@pytest.mark.parametrize(
    ("nodeid", "piece"),
    [
        ("tests/host/test_prompts.py::test_it[v1.7]", "v1.7"),
        ("tests/browser/test_page.py::test_it[v4.7.3-light-360]", "v4.7.3"),
        ("tests/releases/test_releases.py::test_path[v1.16-command line]", "v1.16"),
        ("tests/unit/core/test_bm25.py::test_it[10-v1.7]", "v1.7"),
        ("tests/unit/core/test_bm25.py::test_it[v1.75]", "tests/unit/core/test_bm25.py"),
        ("tests/unit/core/test_bm25.py::test_v1.7", "tests/unit/core/test_bm25.py"),
        ("tests/host/test_renamed_seams.py::test_it[none found]", "tests/host/test_renamed_seams.py"),
    ],
)
def test_what_stays_in_one_process(nodeid: str, piece: str) -> None:
    assert piece_of_work(nodeid, ["v1.16", "v1.7", "v4.7.3"]) == piece
