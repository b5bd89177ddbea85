"""A real webui with this extension against the same without it, with a model that needs no scaling: time and memory.

The newest webui found runs twice, side by side and several times over: with and without us, both with the webui's own
extension ``gallery``, which also is the measure for our import and setup. Loads and replies go through its API, in
turn. Ours is a copy that is compiled already, as it is from the second start on.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.host.running_host import EXTENSION, RunningHost
from tests.real_hosts import RealHost, find_hosts, hosts_folder

from .measuring import in_turn, row, seconds_of, spoken_seconds, times_row
from .random_llama import make_random_llama
from .rows import Options, Row, Skipped

NAME = "extension-cost"
OURS, PROBE, GALLERY = "airoboros_longctx", "longctx_probe", "gallery"
_MEGABYTE = 1_000_000
_REPLY_TOKENS = 96
_LOADS, _REPLIES = 4, 8  # in every pair of webuis


@dataclass
class _Seen:
    """Pairs (with us, without us), and for each start the seconds of our import and setup and of gallery's."""

    setups: list[tuple[float, float]] = field(default_factory=list)
    loads: list[tuple[float, float]] = field(default_factory=list)
    replies: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)


def rows(options: Options) -> Iterator[Row]:
    host = newest_host()
    seen = _Seen()
    with tempfile.TemporaryDirectory() as folder:
        model = make_random_llama(Path(folder) / "random-llama", window=2048)
        extension = _compiled_copy(host, Path(folder) / OURS)
        for number in range(options.pairs()):
            _one_pair_of_webuis(host, Path(folder) / str(number), extension, model, seen, turned=bool(number % 2))
    name, against = f"{host.name}, unscaled model", "the same webui without us"
    replies, plain_replies = zip(*seen.replies, strict=True)
    speeds = [_REPLY_TOKENS / statistics.median(times) for times in (replies, plain_replies)]
    yield row(
        f"{name}: tokens per second",
        against,
        [theirs / ours for ours, theirs in seen.replies],
        at_least=0.99,
        measured="{:.1f}, {:.1f} tokens/s".format(*speeds),
    )
    loads, plain_loads = map(list, zip(*seen.loads, strict=True))
    yield times_row(f"{name}: load time", loads, against, plain_loads, at_most=1.02)
    setups, gallery = zip(*seen.setups, strict=True)
    yield row(
        f"{host.name}: import and setup, beyond gallery's",
        "50 ms",
        [(ours - theirs) / 0.05 for ours, theirs in seen.setups],
        at_most=1.0,
        measured=f"{spoken_seconds(statistics.median(setups))}, {spoken_seconds(statistics.median(gallery))}",
    )
    sizes = [statistics.median(found) / _MEGABYTE for found in zip(*seen.memory, strict=True)]
    yield row(
        f"{name}: memory, beyond the same without us",
        "10 MB",
        [(ours - theirs) / (10 * _MEGABYTE) for ours, theirs in seen.memory],
        at_most=1.0,
        measured="{:.1f}, {:.1f} MB".format(*sizes),
    )


def newest_host() -> RealHost:
    """Of the webuis found, the one with the highest number in its name."""
    hosts = [host for host in find_hosts() if re.fullmatch(r"v[\d.]+", host.name)]
    if not hosts:
        raise Skipped(
            f"no webui found in {hosts_folder()}. TEXTGEN_HOSTS names a folder with a release in each of its own, as "
            "v4.7.3/webui (a checkout) and v4.7.3/venv (its Python)."
        )
    return max(hosts, key=lambda host: [int(part) for part in re.findall(r"\d+", host.name)])


def _compiled_copy(host: RealHost, folder: Path) -> Path:
    shutil.copytree(EXTENSION, folder, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([str(host.python), "-m", "compileall", "-q", str(folder)], check=True)
    return folder


def _one_pair_of_webuis(host: RealHost, folder: Path, extension: Path, model: Path, seen: _Seen, turned: bool) -> None:
    os.environ["LONGCTX_PROBE_MORE"] = str(Path(__file__).with_name("webui_timings.py"))
    measured = [OURS, GALLERY] if turned else [GALLERY, OURS]
    with ExitStack() as stack:
        ours = _started(stack, host, folder / "with", extension, model, [PROBE, *measured])
        theirs = _started(stack, host, folder / "without", extension, model, [PROBE, GALLERY])
        took = ours.ask("extensions")
        seen.setups.append((took[OURS], took[GALLERY]))
        for webui in (ours, theirs):
            _load_seconds(webui, model)  # the first one imports the library
            _reply_seconds(webui)
        seen.memory.append((_resident_bytes(ours), _resident_bytes(theirs)))
        replies = in_turn(lambda: _reply_seconds(ours), lambda: _reply_seconds(theirs), _REPLIES)
        loads = in_turn(lambda: _load_seconds(ours, model), lambda: _load_seconds(theirs, model), _LOADS)
        seen.replies += zip(*replies, strict=True)
        seen.loads += zip(*loads, strict=True)


def _started(
    stack: ExitStack, host: RealHost, folder: Path, extension: Path, model: Path, extensions: list[str]
) -> RunningHost:
    arguments = ["--loader", "Transformers"]
    webui = RunningHost(host, folder, [model], extensions, arguments, extension_folder=extension)
    stack.callback(webui.stop)
    return webui.wait_until_ready()


def _load_seconds(webui: RunningHost, model: Path) -> float:
    webui.unload()
    return seconds_of(lambda: webui.load(model.name), time.perf_counter)


def _reply_seconds(webui: RunningHost) -> float:
    """One chat message answered with ``_REPLY_TOKENS`` tokens."""
    message = {"role": "user", "content": "What does the harbor look like in the morning?"}
    body = {"messages": [message], "mode": "instruct", "max_tokens": _REPLY_TOKENS, "ban_eos_token": True}
    body |= {"temperature": 0.01, "top_k": 1, "seed": 1}
    answers = []
    seconds = seconds_of(lambda: answers.append(webui.post("/v1/chat/completions", body)), time.perf_counter)
    found = answers[0]["usage"]["completion_tokens"]
    if found != _REPLY_TOKENS:
        raise AssertionError(f"A reply of {_REPLY_TOKENS} tokens was asked for, and {found} came.")
    return seconds


def _resident_bytes(webui: RunningHost) -> float:
    import psutil

    return float(psutil.Process(webui.process.pid).memory_info().rss)
