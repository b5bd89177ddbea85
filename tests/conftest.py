"""What every test meets: one torch thread, no network, and a closing line that names the real hosts that ran."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from tests.real_hosts import RealHost, every_host_is_deep, find_hosts, hosts_folder

# Before anything imports torch: one thread adds up numbers in one order, so results can be compared bit by bit.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

_tests_in_host: Counter[str] = Counter()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count the tests that ran in a host: those with a RealHost among their parameters."""
    report = yield
    if report.when == "call" and not report.skipped:
        parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        _tests_in_host.update({value.name for value in parameters.values() if isinstance(value, RealHost)})
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not every_host_is_deep():
        skip = pytest.mark.skip(reason="runs with TEXTGEN_DEEP=all; start.py test-hosts runs it")
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    ran = ", ".join(f"{name} ({count} tests)" for name, count in sorted(_tests_in_host.items()))
    found = ", ".join(host.name for host in find_hosts()) or "none"
    terminalreporter.write_line(f"hosts exercised: {ran or 'none'}; found in {hosts_folder()}: {found}")
