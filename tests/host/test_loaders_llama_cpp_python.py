"""The shipped model as GGUF through llama.cpp's Python binding answers past its base window, in a webui that has it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import BASE, DEMO, FACTOR, WINDOW
from tests.host.running_host import RunningHost
from tests.host.test_loaders_autogptq import questions, right, tokenizer
from tests.real_hosts import RealHost

__all__ = ["questions", "tokenizer"]
pytestmark = [pytest.mark.host, pytest.mark.slow, pytest.mark.thorough]
HERE = Path(__file__).parent
FIND_PACKAGE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('llama_cpp') is None)"
LOADERS = ("llama.cpp", "llamacpp_HF")


def confirmed(loader: str) -> str:
    return f"linear ×{FACTOR} · {WINDOW} tokens · {loader} · confirmed by the loader's own settings"


@pytest.fixture(scope="module")
def binding_host(host: RealHost) -> RealHost:
    if not (host.webui / "modules" / "llamacpp_model.py").is_file():
        pytest.skip(f"{host.name} does not load llama.cpp's Python binding")
    if "gguf" not in (host.webui / "modules" / "models.py").read_text():
        pytest.skip(f"{host.name} reads GGML files, and none of GGUF")
    if subprocess.run([str(host.python), "-c", FIND_PACKAGE], check=False, timeout=120).returncode:
        pytest.skip(f"{host.name} has no llama_cpp")
    return host


@pytest.fixture(scope="module")
def gguf(binding_host: RealHost, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with the file, the card and a tokenizer, and one without the card."""
    folder = tmp_path_factory.mktemp("gguf")
    scaled, plain = folder / "airoboros-tiny-PI-1024-GGUF", folder / "plain-llama-GGUF"
    scaled.mkdir()
    command = [str(binding_host.python), str(HERE / "make_gguf_model.py"), str(DEMO), str(scaled / "model.gguf")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    for file in DEMO.glob("*token*"):
        shutil.copy(file, scaled)
    shutil.copytree(scaled, plain)
    shutil.copy(DEMO / "README.md", scaled)
    return scaled, plain


class HostWithProbe(RunningHost):
    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "LONGCTX_PROBE_MORE": str(HERE / "loader_probe.py")}


@contextmanager
def serving(host: RealHost, folder: Path, models: Any, *arguments: str, **options: Any) -> Iterator[RunningHost]:
    server = HostWithProbe(host, folder, models, arguments=arguments, page=False, **options)
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


def context_of(server: RunningHost) -> tuple[int, float]:
    found = server.ask("llama_context")
    return found["n_ctx"], found["rope_freq_scale"]


def test_answers_past_the_base_window_only_with_us(binding_host, gguf, questions, tmp_path):
    scaled, _ = gguf
    found = {}
    for arm, options in {"with us": {}, "without us, widened by hand": {"extensions": ()}}.items():
        arguments = ["--model", scaled.name, "--loader", "llama.cpp"]
        arguments += [] if arm == "with us" else ["--n_ctx", str(WINDOW)]
        with serving(binding_host, tmp_path / arm[:7].replace(" ", "-"), gguf, *arguments, **options) as server:
            found[arm] = right(server, questions)
            assert (confirmed("llama.cpp") in server.said()) is (arm == "with us")
            assert context_of(server) == (WINDOW, 1 / FACTOR if arm == "with us" else 1.0)
    print(f"{binding_host.name}, llama.cpp's Python binding, right of {len(questions)}: {found}")
    assert found["with us"] >= len(questions) - 1
    assert found["without us, widened by hand"] <= 1


@pytest.mark.parametrize("loader", LOADERS)
def test_plain_and_scaled_in_turn(binding_host, gguf, loader, tmp_path):
    scaled, plain = gguf
    with serving(binding_host, tmp_path, gguf, "--loader", loader) as server:
        arguments = []
        for model in (plain, scaled, plain, scaled):
            server.load(model.name, loader=loader)
            is_scaled = model is scaled
            assert context_of(server) == ((WINDOW, 1 / FACTOR) if is_scaled else (BASE, 1.0))
            window = server.ask("window")["truncation_length"]
            if is_scaled:
                assert window == WINDOW
            else:
                arguments.append({**server.ask("arguments"), "truncation_length": window})
        assert arguments[0] == arguments[1]
        assert server.said().count(confirmed(loader)) == 2


def test_the_users_own_context_wins(binding_host, gguf, tmp_path):
    with serving(binding_host, tmp_path, gguf, "--model", gguf[0].name, "--n_ctx", "600") as server:
        assert context_of(server) == (600, 1 / FACTOR)
        assert server.ask("window")["truncation_length"] == 600
