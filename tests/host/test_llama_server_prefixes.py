"""llama-server itself behind a real webui: of the next question over the same documents it reads the question alone.

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

from tests.host.conftest import BASE, DEMO
from tests.host.running_host import RunningHost
from tests.host.test_loaders_llama_server import STAND_IN, server_host
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

    def chat(self, messages: list[dict[str, Any]]) -> str:
        body = {"mode": "instruct", "messages": messages, "max_tokens": 8, "truncation_length": BASE}
        return str(self.post("/v1/chat/completions", body)["choices"][0]["message"]["content"])


@pytest.fixture
def server(server_host, binary, tmp_path):
    model = tmp_path / "airoboros-tiny-1.4.1-GGUF"
    model.mkdir()
    command = [str(server_host.python), str(MAKE_GGUF), str(DEMO), str(model / "model.gguf")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
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
