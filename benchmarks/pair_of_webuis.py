"""The newest webui found, running twice side by side: with this extension and without it. What each of them takes.

Both have the webui's own extension ``gallery``. Seconds are the processor's, of the webui's whole process; its memory
comes from one arena of the C library.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.host.running_host import EXTENSION, RunningHost
from tests.real_hosts import RealHost, find_hosts, hosts_folder

from .rows import Skipped

OURS, PROBE, GALLERY = "airoboros_longctx", "longctx_probe", "gallery"
REPLY_TOKENS = 96


def newest_host() -> RealHost:
    """Of the webuis found, the one with the highest number in its name."""
    hosts = [host for host in find_hosts() if re.fullmatch(r"v[\d.]+", host.name)]
    if not hosts:
        raise Skipped(
            f"no webui found in {hosts_folder()}. TEXTGEN_HOSTS names a folder with a release in each of its own, as "
            "v4.7.3/webui (a checkout) and v4.7.3/venv (its Python)."
        )
    return max(hosts, key=lambda host: [int(part) for part in re.findall(r"\d+", host.name)])


def compiled_copy(host: RealHost, folder: Path) -> Path:
    """This extension as it is from the second start on."""
    shutil.copytree(EXTENSION, folder, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([str(host.python), "-m", "compileall", "-q", str(folder)], check=True)
    return folder


class MeasuredWebui:
    """A webui that runs until ``stack`` is closed."""

    def __init__(
        self, stack: ExitStack, host: RealHost, folder: Path, extension: Path, models: list[Path], names: list[str]
    ) -> None:
        """``names`` are its extensions after the probe. ``extension`` is the folder of ours."""
        os.environ["LONGCTX_PROBE_MORE"] = str(Path(__file__).with_name("webui_timings.py"))
        os.environ["MALLOC_ARENA_MAX"] = "1"  # with more, the same webui takes 60 MB more at one start than at another
        self._webui = _started(stack, host, folder, extension, models, [PROBE, *names])

    def setup_seconds(self) -> dict[str, float]:
        """The import and setup of each extension."""
        return self._webui.ask("extensions")

    def load_seconds(self, model: Path) -> float:
        self._webui.unload()
        return self._seconds_inside(lambda: self._webui.load(model.name))

    def warm_up(self) -> None:
        """A short reply to something else: the first one of a model also tries whether its prompts can be kept."""
        message = {"role": "user", "content": "Count to ten."}
        body = {"messages": [message], "mode": "instruct", "max_tokens": 2, "temperature": 0.01, "top_k": 1, "seed": 1}
        self._webui.post("/v1/chat/completions", body)

    def reply_seconds(self) -> float:
        """One chat message, always the same, answered with ``REPLY_TOKENS`` tokens."""
        message = {"role": "user", "content": "What does the harbor look like in the morning?"}
        body = {"messages": [message], "mode": "instruct", "max_tokens": REPLY_TOKENS, "ban_eos_token": True}
        body |= {"temperature": 0.01, "top_k": 1, "seed": 1}
        answers: list[dict[str, Any]] = []
        seconds = self._seconds_inside(lambda: answers.append(self._webui.post("/v1/chat/completions", body)))
        reason = answers[0]["choices"][0]["finish_reason"]
        if reason != "length":
            raise AssertionError(f"A reply of {REPLY_TOKENS} tokens was asked for, and its end was {reason!r}.")
        return seconds

    def memory_bytes(self) -> float:
        """Resident, and its own: without pages of files that other processes share; freed blocks are given back."""
        import psutil

        self._webui.ask("trim")
        return float(psutil.Process(self._webui.process.pid).memory_full_info().uss)

    def _seconds_inside(self, work: Callable[[], object]) -> float:
        before = self._webui.ask("processor")["seconds"]
        work()
        return float(self._webui.ask("processor")["seconds"] - before)


def _started(
    stack: ExitStack, host: RealHost, folder: Path, extension: Path, models: list[Path], names: list[str]
) -> RunningHost:
    webui = RunningHost(host, folder, models, names, ["--loader", "Transformers"], extension_folder=extension)
    stack.callback(webui.stop)
    return webui.wait_until_ready()
