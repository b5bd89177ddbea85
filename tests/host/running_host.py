"""Starting a real webui, talking to it as a person's program would, and stopping it again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tests.real_hosts import RealHost

REPOSITORY = Path(__file__).parents[2]
EXTENSION = REPOSITORY / "extensions" / "airoboros_longctx"
PROBE = Path(__file__).parent / "probe_extension"
#: Lets the newest webui start with PyPI's Gradio; used where it is there.
HOST_COMPAT = REPOSITORY.parent / "shared" / "host-compat"
READY_SECONDS = 180
#: How a webui ends whose Gradio did not answer itself within the three seconds that it gives itself: it is busy.
TOO_BUSY = "ReadTimeout"


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningHost:
    """One webui process. Extensions and models are handed to it by links; its checkout is left as it was."""

    def __init__(
        self,
        host: RealHost,
        folder: Path,
        models: Iterable[Path],
        extensions: Iterable[str] = ("airoboros_longctx",),
        arguments: Iterable[str] = (),
        settings: str = "",
        page: bool = True,
        user_data_extension: bool = False,
        extension_folder: Path = EXTENSION,
        home: Path | None = None,
        user_data: Path | None = None,
    ) -> None:
        self.host, self.folder, self.page = host, folder, page
        #: What is kept for the person who runs the server; given to a second server, it finds it again.
        self.home = home or folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        flags = (host.webui / "modules" / "shared.py").read_text()
        self.modern = (host.webui / "modules" / "api").is_dir()
        self.openai_api = "--api-blocking-port" not in flags
        self.has_attachments = "def add_message_attachment" in (host.webui / "modules" / "chat.py").read_text()
        self.has_user_data_flag = "--user-data-dir" in flags
        self.port, self.api_port = free_port(), free_port()
        self.log_file = folder / "server.log"
        self.probe_folder = folder / "probe"
        self.probe_folder.mkdir(parents=True)
        self.models = folder / "models"
        self.models.mkdir()
        for model in models:
            (self.models / model.name).symlink_to(model)
        self._links: list[Path] = []
        names = (*extensions, "longctx_probe")
        places = {"airoboros_longctx": extension_folder, "longctx_probe": PROBE}
        user_data = (user_data or self._user_data()) if self.has_user_data_flag else None
        #: Its chats; given to a second server, it opens them again.
        self.user_data = user_data
        for name in filter(places.__contains__, names):  # the others are the webui's own
            root = user_data if user_data is not None and user_data_extension else host.webui
            self._link(root / "extensions" / name, places[name])
        command = [str(host.python), "server.py", "--cpu", "--model-dir", str(self.models)]
        command += ["--listen-port", str(self.port), "--extensions", *names]
        if user_data is not None:
            command += ["--user-data-dir", str(user_data)]
        if "return args.chat" in flags:
            command.append("--chat")
        if self.openai_api:
            command += ["--api", "--api-port", str(self.api_port)]
            command += [] if page else ["--nowebui"]
        else:
            command += ["--api", "--api-blocking-port", str(self.api_port), "--api-streaming-port", str(free_port())]
        if settings:
            (folder / "settings.yaml").write_text(settings)
            command += ["--settings", str(folder / "settings.yaml")]
        self._command = [*command, *arguments]
        self.process = self._process()

    def _process(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            cwd=self.host.webui,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=self.log_file.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _user_data(self) -> Path:
        """A user_data of the run's own: the checkout's presets, characters and templates, nothing written back."""
        user_data = self.folder / "user_data"
        (user_data / "extensions").mkdir(parents=True)
        for child in (self.host.webui / "user_data").iterdir():
            if child.name not in ("extensions", "models", "logs", "cache", "settings.yaml", "CMD_FLAGS.txt"):
                if child.is_dir():
                    shutil.copytree(child, user_data / child.name)
                else:
                    shutil.copy(child, user_data / child.name)
        return user_data

    def _link(self, place: Path, target: Path) -> None:
        place.unlink(missing_ok=True)
        place.symlink_to(target)
        self._links.append(place)

    def _environment(self) -> dict[str, str]:
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
        environment.update(
            HF_HUB_OFFLINE="1",
            GRADIO_ANALYTICS_ENABLED="False",
            OMP_NUM_THREADS="1",
            MKL_NUM_THREADS="1",
            PYTHONDONTWRITEBYTECODE="1",
            LONGCTX_PROBE=str(self.probe_folder),
            HOME=str(self.home),
        )
        if self.has_user_data_flag and HOST_COMPAT.is_dir():
            environment["PYTHONPATH"] = str(HOST_COMPAT)
        return environment

    # -- life ------------------------------------------------------------------------------------------------------

    def wait_until_ready(self) -> RunningHost:
        """Wait for the API, and for the page as the webui itself does; nobody asks for it while it is being tried."""
        try:
            self._wait()
        except AssertionError:
            if TOO_BUSY not in self.log():
                raise
            self.process = self._process()
            self._wait()
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        listed = f"{self.api}/v1/models" if self.openai_api else f"{self.api}/api/v1/model"
        while not answers(listed):
            self._assert_alive(deadline, "did not start")
            time.sleep(0.2)
        while self.page and not self.ask("started", READY_SECONDS)["started"]:
            self._assert_alive(deadline, "did not start")
            time.sleep(0.2)

    def _assert_alive(self, deadline: float, otherwise: str) -> None:
        alive = self.process.poll() is None and time.monotonic() < deadline
        assert alive, f"{self.host.name} {otherwise}:\n{self.log()[-4000:]}"

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(15)
        for link in self._links:
            link.unlink(missing_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def said(self) -> str:
        """The log in one line: the newer webuis break long messages at the width of a terminal."""
        return " ".join(self.log().split())

    # -- API ---------------------------------------------------------------------------------------------------------

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as response:
            answer = json.loads(response.read() or b"{}")
        return answer if isinstance(answer, dict) else {"answer": answer}

    def status_of(self, path: str, body: dict[str, Any]) -> int:
        """The status of an answer, also of an error."""
        try:
            self.post(path, body)
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def complete(self, prompt: str, max_new_tokens: int = 16, truncation_length: int | None = None) -> str:
        """Greedy completion of a raw prompt through the release's own API."""
        body: dict[str, Any] = {"prompt": prompt, "temperature": 1.0, "repetition_penalty": 1.0, "seed": 1}
        if truncation_length is not None:
            body["truncation_length"] = truncation_length
        if self.openai_api:
            body.update(max_tokens=max_new_tokens, do_sample=False, top_k=1, custom_token_bans="")
            return str(self.post("/v1/completions", body)["choices"][0]["text"])
        body.update(max_new_tokens=max_new_tokens, do_sample=False, add_bos_token=True)
        return str(self.post("/api/v1/generate", body)["results"][0]["text"])

    def first_scores(self, prompt: str, truncation_length: int | None = None) -> dict[str, Any]:
        """The ids that reached the model and the scores of the first new token, from inside the server.

        The prompt is read in one pass, as by the library alone: cut into several, it rounds differently.
        """
        scores = self.probe_folder / "scores.npz"
        scores.unlink(missing_ok=True)
        in_one_pass = self.probe_folder / "in_one_pass"
        in_one_pass.touch()
        self.complete(prompt, 1, truncation_length)
        in_one_pass.unlink()
        with np.load(scores) as found:
            return {name: found[name] for name in found.files}

    def load(self, model_name: str, **arguments: Any) -> None:
        if self.openai_api:
            self.post("/v1/internal/model/load", {"model_name": model_name, "args": arguments})
        else:
            self.post("/api/v1/model", {"action": "load", "model_name": model_name, "args": arguments})

    def unload(self) -> None:
        if self.openai_api:
            self.post("/v1/internal/model/unload", {})
        else:
            self.post("/api/v1/model", {"action": "unload"})

    # -- inside the server ---------------------------------------------------------------------------------------

    def ask(self, command: str, within: float = 30) -> dict[str, Any]:
        """Run a command of the probe extension inside the server, which may take ``within`` seconds."""
        answer = self.probe_folder / f"{command}.answer"
        answer.unlink(missing_ok=True)
        (self.probe_folder / f"{command}.command").touch()
        deadline = time.monotonic() + within
        while not answer.exists():
            self._assert_alive(deadline, f"did not answer {command!r}")
            time.sleep(0.05)
        found = json.loads(answer.read_text())
        assert "error" not in found, found["error"]
        return dict(found)
