"""Real webui releases, one after the other; the models they load."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.host.models import BASE, CONFIRMED, DEMO, FACTOR, WINDOW, Models, make_models, scores_offline
from tests.host.running_host import RunningHost
from tests.real_hosts import RealHost, deep_hosts

__all__ = ["BASE", "CONFIRMED", "DEMO", "FACTOR", "WINDOW"]


@pytest.fixture(scope="session", params=deep_hosts() or [None], ids=lambda host: host.name if host else "none found")
def host(request: pytest.FixtureRequest) -> RealHost:
    if request.param is None:
        pytest.skip("no real webui found; see TEXTGEN_HOSTS in tests/real_hosts.py")
    return request.param


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return make_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def start(host: RealHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningHost]]:
    """Start servers of this host; all are stopped at the end of the module."""
    running: list[RunningHost] = []

    def run(models: tuple[Path, ...], **options: Any) -> RunningHost:
        server = RunningHost(host, tmp_path_factory.mktemp("run"), models, **options)
        running.append(server)
        return server.wait_until_ready()

    yield run
    for server in running:
        server.stop()


@pytest.fixture(scope="session")
def offline_scores(host: RealHost, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, float, Any], Any]:
    """Scores with the host's own Transformers in a fresh process, scaled by its own config or not at all."""
    folder = tmp_path_factory.mktemp("offline")

    def scores(model: Path, factor: float, input_ids: Any) -> Any:
        return scores_offline(host, folder, model, factor, input_ids)

    return scores


def model_settings(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "config.json").read_text()))
