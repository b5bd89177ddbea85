"""Real webui releases, one after the other; the models they load."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.host.running_host import REPOSITORY, RunningHost
from tests.real_hosts import RealHost, find_hosts

DEMO = REPOSITORY / "demo" / "models" / "airoboros-tiny-1.4.1-PI-1024"
WINDOW, BASE, FACTOR = 1024, 256, 4
CONFIRMED = "linear ×4 · 1024 tokens · Transformers · confirmed on the live model"


@pytest.fixture(scope="session", params=find_hosts() or [None], ids=lambda host: host.name if host else "none found")
def host(request: pytest.FixtureRequest) -> RealHost:
    if request.param is None:
        pytest.skip("no real webui found; see TEXTGEN_HOSTS in tests/real_hosts.py")
    return request.param


@dataclass(frozen=True)
class Models:
    """Folders: one that states its scaling in its card, one that is plain, one whose weights are broken."""

    scaled: Path
    plain: Path
    broken: Path

    def all(self) -> tuple[Path, ...]:
        return (self.scaled, self.plain, self.broken)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    plain = folder / "plain-llama"
    shutil.copytree(DEMO, plain, ignore=shutil.ignore_patterns("README.md"))
    broken = folder / "broken-llama"
    shutil.copytree(DEMO, broken)
    (broken / "model.safetensors").write_bytes(b"not a safetensors file")
    return Models(DEMO, plain, broken)


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
        np.savez(folder / "in.npz", input_ids=input_ids)
        script = Path(__file__).with_name("offline_scores.py")
        arguments = [str(model), str(factor), str(folder / "in.npz"), str(folder / "out.npz")]
        subprocess.run([str(host.python), str(script), *arguments], check=True, capture_output=True, timeout=300)
        return np.load(folder / "out.npz")["scores"]

    return scores


def model_settings(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "config.json").read_text()))
