"""Which of the releases on a machine the long tests run in."""

from __future__ import annotations

from pathlib import Path

import pytest

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
