"""llama-server itself behind a real webui: it gives the planned window, and reads the same documents once.

The counters are the server's own, from its log.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import BASE, DEMO, WINDOW
from tests.host.running_host import RunningHost
from tests.host.test_loaders_llama_server import CARD, CONFIRMED, STAND_IN, server_host
from tests.host.test_prompts import DOCUMENTS, QUESTION

__all__ = ["server_host"]
pytestmark = [pytest.mark.host, pytest.mark.slow, pytest.mark.thorough]
MAKE_GGUF = Path(__file__).with_name("make_gguf_model.py")
INLINE = [{"text": one["text"], "metadata": dict(one["metadata"])} for one in DOCUMENTS]
QUESTIONS = (QUESTION, "What is the color of the tower?", "Which of the two is red?")
#: What the server says of each prompt: the tokens that it had to read.
READ = re.compile(r"prompt eval time = .*?/ +(\d+) tokens")


@pytest.fixture(scope="module")
def binary() -> str:
    found = os.environ.get("LLAMA_SERVER") or shutil.which("llama-server")
    if not found:
        pytest.skip("no llama-server found (looked at the variable LLAMA_SERVER, and in PATH)")
    return found


class HostWithBinary(RunningHost):
    """A webui process that starts ``binary``."""

    def __init__(self, binary: str, *given: Any, **options: Any) -> None:
        self.binary = binary
        super().__init__(*given, **options)

    def _environment(self) -> dict[str, str]:
        environment = super()._environment()
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(STAND_IN), environment.get("PYTHONPATH")]))
        environment["LLAMA_SERVER_BINARY"] = self.binary
        environment["LLAMA_ARG_LOG_FILE"] = environment["LLAMA_LOG_FILE"] = str(self.server_log)
        return environment

    @property
    def server_log(self) -> Path:
        return self.folder / "llama-server.log"

    def read(self) -> list[int]:
        """The tokens of each prompt so far that the server had not kept."""
        return [int(tokens) for tokens in READ.findall(self.server_log.read_text(errors="replace"))]

    def window(self) -> int:
        """The tokens that the server gives one request."""
        return int(re.findall(r"n_ctx_slot = (\d+)", self.server_log.read_text(errors="replace"))[-1])

    def chat(self, messages: list[dict[str, Any]]) -> str:
        body = {"mode": "instruct", "messages": messages, "max_tokens": 8, "truncation_length": BASE}
        return str(self.post("/v1/chat/completions", body)["choices"][0]["message"]["content"])


def make_model(host, folder: Path, name: str, card: str = "") -> Path:
    """The shipped model as a GGUF file, which says that it was trained with the base window."""
    model = folder / name
    model.mkdir()
    command = [str(host.python), str(MAKE_GGUF), str(DEMO), str(model / "model.gguf")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    if card:
        (model / "README.md").write_text(card)
    return model


@pytest.fixture
def server(server_host, binary, tmp_path):
    model = make_model(server_host, tmp_path, "airoboros-tiny-1.4.1-GGUF")
    arguments = ["--model", model.name, "--loader", "llama.cpp", "--threads", "1"]
    server = HostWithBinary(binary, server_host, tmp_path / "run", [model], arguments=arguments, page=False)
    if not server.modern:
        server.stop()
        pytest.skip("this release's API drops unknown message fields")
    try:
        yield server.wait_until_ready()
    finally:
        server.stop()


def test_the_documents_are_read_once(server):
    """Whatever was said before: with the history left out, each prompt begins as the one before it."""
    said: list[dict[str, Any]] = []
    for question in QUESTIONS:
        said.append({"role": "user", "content": question})
        reply = server.chat([*said[:-1], {**said[-1], "documents": INLINE}])
        said.append({"role": "assistant", "content": reply})
    server.chat([{"role": "user", "content": QUESTION, "documents": INLINE[::-1]}])
    first, *others, turned = server.read()
    assert first > 100
    assert len(others) == 2
    assert max(others) < 20  # the question and what follows it
    assert turned > 40  # the documents in another order are another prompt


def test_a_request_gets_the_scaled_window(server_host, binary, tmp_path):
    """The server gives no request more than the file says, unless the file's own window is overridden."""
    model = make_model(server_host, tmp_path, "tiny-PI-1024-GGUF", CARD)
    arguments = ["--model", model.name, "--loader", "llama.cpp", "--threads", "1"]
    server = HostWithBinary(binary, server_host, tmp_path / "run", [model], arguments=arguments, page=False)
    try:
        server.wait_until_ready()
        assert CONFIRMED in server.said()
        assert "capping" not in server.server_log.read_text(errors="replace")
        assert server.window() == WINDOW
    finally:
        server.stop()
