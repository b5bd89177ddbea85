"""One release, running: its server, the models it loads, and a browser where there is one."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.host.models import Models, make_lora, make_models, scores_offline
from tests.host.running_host import RunningHost
from tests.real_hosts import RealHost

PROMPT_PROBE = Path(__file__).parents[1] / "host" / "prompt_probe.py"


class Absent(Exception):
    """This release, or this machine, does not have the path; the text says why."""


class ReleaseRun:
    """``server`` has the scaled model on its command line: it was loaded before any extension was imported."""

    def __init__(self, host: RealHost, folder: Path) -> None:
        self.host, self.folder = host, folder
        (folder / "models").mkdir(parents=True)
        self.models: Models = make_models(folder / "models")
        self.lora = make_lora(folder / "loras")
        self._server: RunningHost | None = None
        self._page: Any = None
        self._open: list[Any] = []
        self._offline: dict[tuple[Any, ...], Any] = {}

    @property
    def server(self) -> RunningHost:
        if self._server is None:
            arguments = ["--model", self.models.scaled.name, "--loader", "Transformers"]
            arguments += ["--lora-dir", str(self.lora.parent)]
            if self.has_flag("--idle-timeout"):
                arguments += ["--idle-timeout", "30"]
            os.environ["LONGCTX_PROBE_MORE"] = str(PROMPT_PROBE)
            try:
                server = RunningHost(
                    self.host,
                    self.folder / "server",
                    self.models.all(),
                    arguments=arguments,
                    settings="mode: instruct\nmax_new_tokens: 48\n",
                )
            finally:
                del os.environ["LONGCTX_PROBE_MORE"]
            self._server = server
            server.wait_until_ready()
        return self._server

    def has_flag(self, flag: str) -> bool:
        return f"'{flag}'" in (self.host.webui / "modules" / "shared.py").read_text()

    def close(self) -> None:
        while self._open:
            self._open.pop().__exit__(None, None, None)
        if self._server is not None:
            self._server.stop()

    # -- the page ------------------------------------------------------------------------------------------------

    @property
    def page(self) -> Any:
        """The webui's page in Chromium."""
        if self._page is None:
            from tests.browser.chromium import NoBrowser, browser_page

            browser = browser_page(1280, 1000)
            try:
                page = browser.__enter__()
            except NoBrowser as reason:
                raise Absent(str(reason)) from reason
            self._open.append(browser)
            page.set_default_timeout(30_000)
            page.goto(self.server.url, wait_until="domcontentloaded")
            page.locator("#chat-input textarea, #main textarea").first.wait_for(state="visible", timeout=120_000)
            self._page = page
        return self._page

    def picture(self, name: str) -> None:
        folder = os.environ.get("LONGCTX_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{self.host.name}-{name}.png")

    # -- what reached the model ------------------------------------------------------------------------------------

    def offline(self, model: Path, factor: float, input_ids: Any, lora: Path | None = None) -> Any:
        """Scores without us; the same question is computed once for a release."""
        key = (model, factor, input_ids.tobytes(), lora)
        if key not in self._offline:
            self._offline[key] = scores_offline(self.host, self.folder, model, factor, input_ids, lora)
        return self._offline[key]

    def act(self, way: str, command: str = "act", **asked: Any) -> dict[str, Any]:
        """Do what a button of the chat does, inside the server; ``ids`` are those that reached the model."""
        options = {"only_from_documents": False, "name_sources": False}
        request = {"way": way, "options": options, **asked}
        (self.server.probe_folder / "request.json").write_text(json.dumps(request))
        scores = self.server.probe_folder / "scores.npz"
        scores.unlink(missing_ok=True)
        answer = self.server.ask(command)
        if scores.exists():
            with np.load(scores) as found:
                answer["ids"] = [int(one) for one in found["input_ids"]]
        return answer


@contextmanager
def running(host: RealHost, folder: Path) -> Iterator[ReleaseRun]:
    run = ReleaseRun(host, folder)
    try:
        yield run
    finally:
        run.close()


def seen_on(host: RealHost) -> str:
    """On what a release was seen: ``CPU``, and whether PyPI's Gradio stands in for the release's own."""
    gpu = _answers(host, "import torch; print(torch.cuda.is_available())") == "True"
    wanted = "".join(path.read_text() for path in host.webui.glob("requirements*.txt"))
    wanted += "".join(path.read_text() for path in host.webui.glob("requirements/**/*.txt"))
    patched = re.search(r"gradio-[\d.]+(?:%2B|\+)custom", wanted) is not None
    installed = _answers(host, "import importlib.metadata as m; print(m.version('gradio'))")
    stock = patched and "custom" not in installed
    return " ".join(["GPU" if gpu else "CPU", *(["stock Gradio"] if stock else [])])


def _answers(host: RealHost, program: str) -> str:
    done = subprocess.run([str(host.python), "-c", program], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.strip()
