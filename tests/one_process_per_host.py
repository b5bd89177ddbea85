"""Which tests may run beside each other, where pytest-xdist runs them in several processes.

One host's servers link their extensions into the same checkout and would take each other's links away, so its tests
run one after the other in one process; and so do the tests of one file, whose fixtures cost seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from xdist.scheduler import LoadScopeScheduling


class OneProcessPerHost(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out all tests of one host, and all others of one file, as one piece of work."""

    def __init__(self, config: Any, log: Any, hosts: Sequence[str]) -> None:
        super().__init__(config, log)
        self._hosts = hosts

    def _split_scope(self, nodeid: str) -> str:
        return piece_of_work(nodeid, self._hosts)


def piece_of_work(nodeid: str, hosts: Sequence[str]) -> str:
    """The host among a test's parameters, else its file: ``tests/a.py::test_it[v1.7-dark]`` -> ``v1.7``."""
    file, _, test = nodeid.partition("::")
    _, _, parameters = test.partition("[")
    return next((host for host in hosts if re.search(rf"(?:^|-){re.escape(host)}[-\]]", parameters)), file)
