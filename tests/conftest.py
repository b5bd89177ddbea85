"""What every test meets: one torch thread, no network, and a closing line that names the real hosts that ran.

``start.py test`` runs them in two processes; the tests of one host, and those of one file, stay together.
"""

from __future__ import annotations

import contextlib
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

with contextlib.suppress(ImportError):  # the numerics tests run without it
    from hypothesis import HealthCheck, settings

    # No test asserts a time: in a fresh clone the first text that is made up takes seconds, for its characters' table.
    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")

_tests_in_host: Counter[str] = Counter()
IN_HOST = "in host"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with the report in which hosts a test ran; it may have been another process that ran it."""
    report = yield
    if report.when == "call" and not report.skipped:
        report.user_properties += [(IN_HOST, name) for name in _hosts_of(item)]
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _tests_in_host.update(str(name) for what, name in report.user_properties if what == IN_HOST)


def _hosts_of(item: pytest.Item) -> list[str]:
    """The names of the hosts that a test runs in: the RealHosts among its parameters."""
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return sorted({value.name for value in parameters.values() if isinstance(value, RealHost)})


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.one_process_per_host import OneProcessPerHost

    return OneProcessPerHost(config, log, [host.name for host in find_hosts()])


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
