"""The tests of tests/host that load with one loader, run for one release: a row for each loader."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.host.running_host import REPOSITORY
from tests.real_hosts import RealHost
from tests.releases.rows import ABSENT, FAILED, PASSED, Row

#: By path: what pytest is asked to run.
LOADER_TESTS: dict[str, tuple[str, ...]] = {
    "AutoGPTQ": ("tests/host/test_loaders_autogptq.py",),
    "ExLlama up to its kernels": ("tests/host/test_v17_loaders.py", "-k", "test_exllama"),
    "GPTQ through Transformers": ("tests/host/test_loaders_gptqmodel.py",),
    "llama.cpp, Python binding": ("tests/host/test_loaders_llama_cpp_python.py",),
    "llama.cpp, command line": ("tests/host/test_loaders_llama_server.py",),
    "check through other loaders": (
        "tests/browser/test_webui_check.py",
        "-k",
        "scales_by_itself or llama_server or autogptq",
    ),
}


def loader_rows(host: RealHost, seen: str, only: Sequence[str] = ()) -> Iterator[Row]:
    for path, asked in LOADER_TESTS.items():
        if not only or any(text in path for text in only):
            result, detail = _outcome(host, asked)
            yield Row(host.name, path, result, detail, seen)


def _outcome(host: RealHost, asked: Sequence[str]) -> tuple[str, str]:
    """Passed where anything passed and nothing failed; absent where every test says why it skips."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "hosts", host.name)
        place.parent.mkdir()
        place.symlink_to(host.webui.parent)
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", *asked, "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        environment = {**os.environ, "TEXTGEN_HOSTS": str(place.parent), "TEXTGEN_DEEP": "all"}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        if not report.exists():
            return FAILED, " ".join(done.stdout.split())[-300:]
        cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    reasons = {str(one.get("message")) for case in cases if (one := case.find("skipped")) is not None}
    passed = len(cases) - len(failed) - sum(case.find("skipped") is not None for case in cases)
    if failed:
        return FAILED, f"{len(failed)} of {len(cases)} tests fail, the first: {failed[0].get('name')}"
    if passed:
        return PASSED, f"{passed} tests"
    return ABSENT, "; ".join(sorted(re.sub(rf"^{re.escape(host.name)} ", "this release ", one) for one in reasons))
