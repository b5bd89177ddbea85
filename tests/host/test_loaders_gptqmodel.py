"""GPTQ where the webui has no AutoGPTQ any more: Transformers with optimum and gptqmodel, where they are installed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import CONFIRMED, DEMO
from tests.host.test_loaders_autogptq import questions, right, tokenizer
from tests.real_hosts import RealHost

__all__ = ["questions", "tokenizer"]
pytestmark = [pytest.mark.host, pytest.mark.slow, pytest.mark.thorough]
HERE = Path(__file__).parent
FIND_PACKAGES = "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, ('optimum', 'gptqmodel'))))"


@pytest.fixture(scope="module")
def transformers_host(host: RealHost) -> RealHost:
    if "AutoGPTQ" in (host.webui / "modules" / "loaders.py").read_text():
        pytest.skip(f"{host.name} has an AutoGPTQ loader")
    if subprocess.run([str(host.python), "-c", FIND_PACKAGES], check=False, timeout=120).returncode:
        pytest.skip(f"{host.name} has not both optimum and gptqmodel")
    return host


@pytest.fixture(scope="module")
def rounded(transformers_host: RealHost, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rounded") / "airoboros-tiny-PI-1024-GPTQ"
    command = [str(transformers_host.python), str(HERE / "round_model.py"), str(DEMO), str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return out


def test_answers_past_the_base_window_only_with_us(transformers_host, start, rounded, questions):
    found: dict[str, Any] = {}
    for arm, options in {"with us": {}, "without us": {"extensions": ()}}.items():
        server = start((rounded,), page=False, **options)
        server.load(rounded.name)
        found[arm] = right(server, questions)
        assert (CONFIRMED in server.said()) is (arm == "with us")
        server.stop()
    print(f"{transformers_host.name}, Transformers with gptqmodel, right of {len(questions)}: {found}")
    assert found["with us"] >= len(questions) - 2
    assert found["without us"] <= 1
