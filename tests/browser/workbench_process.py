"""A workbench in a process of its own, as ``start.py`` opens it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.host.running_host import answers, free_port

ROOT = Path(__file__).parents[2]
_OPENED_SECONDS = 120


@contextmanager
def serving_workbench(folder: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """The address of a workbench started with ``arguments``; what it stores and logs is in ``folder``."""
    port, log = free_port(), folder / "log.txt"
    home = {"HOME": str(folder), "USERPROFILE": str(folder)}  # where documents are stored
    quiet = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    command = [sys.executable, "-m", "extensions.airoboros_longctx", "workbench", "--port", str(port), "--no-browser"]
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        env={**os.environ, **home, **quiet, **environment},
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        address = f"http://127.0.0.1:{port}/"
        deadline = time.monotonic() + _OPENED_SECONDS
        while not answers(address):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(20)
