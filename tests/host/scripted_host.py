"""A real webui whose llama.cpp loader is answered by a script: chats with a model that is too large for a test.

    def test_something(scripted_webui):
        with scripted_webui(lambda prompt: "42") as webui:
            webui.chat("What is it?")
            assert webui.scripted.prompts == ["…"]

The webui starts the stand-in in tests/host/llama_server_stand_in for its llama-server, which hands everything on to a
``ScriptedServer`` in the test. A test imports the fixture, as tests/host/test_scripted_replies.py does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.host.gguf_file import llama_metadata, write_gguf
from tests.host.running_host import RunningHost
from tests.real_hosts import RealHost
from tests.scripted_server import Script, ScriptedServer

STAND_IN = Path(__file__).parent / "llama_server_stand_in"
MODEL = "airoboros-65b-gpt4-m2.0-GGUF"
WINDOW = 2048


class ScriptedHost(RunningHost):
    """A webui process with the scripted model loaded. ``packages`` are folders with packages for it alone."""

    def __init__(self, host: RealHost, folder: Path, scripted: ScriptedServer, **options: Any) -> None:
        self.scripted = scripted
        self._packages: tuple[Path, ...] = options.pop("packages", ())
        arguments = ["--model", MODEL, "--loader", "llama.cpp", *options.pop("arguments", ())]
        super().__init__(host, folder, [make_model(folder)], arguments=arguments, **options)

    def _environment(self) -> dict[str, str]:
        environment = super()._environment()
        folders = [str(STAND_IN), *map(str, self._packages), environment.get("PYTHONPATH")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
        environment["SCRIPTED_SERVER"] = self.scripted.root.removeprefix("http://")
        return environment

    def chat(self, question: str, **more: Any) -> str:
        """The reply to one message through the chat completions API; ``more`` goes into the message."""
        message = {"role": "user", "content": question, **more}
        answer = self.post("/v1/chat/completions", {"messages": [message], "mode": "instruct", "max_tokens": 64})
        return str(answer["choices"][0]["message"]["content"])


def make_model(folder: Path) -> Path:
    """A GGUF file that says what the model is called, and has no weights: nobody reads them."""
    model = folder / "made" / MODEL
    model.mkdir(parents=True)
    write_gguf(model / "model.gguf", llama_metadata(MODEL, WINDOW))
    return model


@pytest.fixture(scope="module")
def scripted_webui(
    host: RealHost, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[ScriptedHost]]:
    """Start this host over a script. Skips where the release starts no llama-server."""
    if not (host.webui / "modules" / "llama_cpp_server.py").is_file():
        pytest.skip(f"{host.name} starts no llama-server")

    @contextmanager
    def serving(script: Script, **options: Any) -> Iterator[ScriptedHost]:
        with ScriptedServer(script, [MODEL], WINDOW) as scripted:
            webui = ScriptedHost(host, tmp_path_factory.mktemp("scripted"), scripted, **options)
            try:
                webui.wait_until_ready()
                yield webui
            finally:
                webui.stop()

    return serving
