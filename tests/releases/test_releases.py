"""The paths of the releases that every change is tried in. ``start.py test-hosts`` runs those of all releases, and the
loaders' own tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real_hosts import RealHost, every_host_is_deep, find_hosts
from tests.releases.all_paths import KNOWN_RELEASES
from tests.releases.paths import PATHS
from tests.releases.release_run import Absent, ReleaseRun, running

pytestmark = [pytest.mark.host, pytest.mark.slow]
#: Of each kind one: both ends, both APIs, each major Gradio, each way of keeping templates. Unknown ones always run.
EVERY_TIME = ("v1.5", "v1.16", "v3.23", "v4.7.3")  # v1.7 has tests/host and tests/browser
HOSTS = [
    host for host in find_hosts() if every_host_is_deep() or host.name in EVERY_TIME or host.name not in KNOWN_RELEASES
]


@pytest.fixture(scope="module", params=HOSTS or [None], ids=lambda host: host.name if host else "none found")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseRun]:
    host: RealHost | None = request.param
    if host is None:
        pytest.skip("no real webui found; see TEXTGEN_HOSTS in tests/real_hosts.py")
    folder: Path = tmp_path_factory.mktemp(host.name)
    with running(host, folder) as release:
        yield release


@pytest.mark.parametrize("path", PATHS)
def test_path(run: ReleaseRun, path: str) -> None:
    try:
        print(f"{run.host.name}: {path}: {PATHS[path](run)}")
    except Absent as reason:
        pytest.skip(f"{run.host.name}: {reason}")
