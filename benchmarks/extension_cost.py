"""A real webui with this extension against the same without it, with a model that needs no scaling: time and memory.

The newest webui found runs twice, side by side and several times over: with and without us, both with the webui's own
extension ``gallery``, which also is the measure for our import and setup. Loads and replies go through its API, in
turn, and are timed in the webui's own processor time. What a load takes longer is given against a load of one second
as well. Ours is a copy that is compiled already, as it is from the second start on.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.host.running_host import EXTENSION, RunningHost
from tests.real_hosts import RealHost, find_hosts, hosts_folder

from .measuring import in_turn, row, spoken_seconds, times_row
from .random_llama import make_random_llama
from .rows import Options, Row, Skipped

NAME = "extension-cost"
OURS, PROBE, GALLERY = "airoboros_longctx", "longctx_probe", "gallery"
_MEGABYTE = 1_000_000
_REPLY_TOKENS = 96
_LOADS, _REPLIES = 6, 6  # in every pair of webuis
_STARTS, _SETTLED_SECONDS = 3, 5


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
    speeds = [_REPLY_TOKENS / statistics.median(times) for times in zip(*seen.replies, strict=True)]
    yield row(
        f"{name}: tokens per second",
        against,
        [theirs / ours for ours, theirs in seen.replies],
        at_least=0.99,
        measured="{:.1f}, {:.1f} tokens/s".format(*speeds),
    )
    loads, plain_loads = map(list, zip(*seen.loads, strict=True))
    yield times_row(f"{name} of 28 M: load time", loads, against, plain_loads, at_most=1.02)
    yield row(
        f"{name}: load time, beyond the same without us",
        "2 % of a load of one second",
        [(ours - theirs) / 0.02 for ours, theirs in seen.loads],
        measured=f"{spoken_seconds(statistics.median(loads))}, {spoken_seconds(statistics.median(plain_loads))}",
    )
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
        replies = in_turn(partial(_reply_seconds, ours), partial(_reply_seconds, theirs), _REPLIES)
        seen.replies += zip(*replies, strict=True)
        loads = in_turn(partial(_load_seconds, ours, model), partial(_load_seconds, theirs, model), _LOADS)
        seen.loads += zip(*loads, strict=True)


def _started(
    stack: ExitStack, host: RealHost, folder: Path, extension: Path, model: Path, extensions: list[str]
) -> RunningHost:
    """A webui that stays. On a busy machine Gradio may miss the seconds that it gives its own page: then once more."""
    for attempt in range(_STARTS):
        place, arguments = folder / str(attempt), ["--loader", "Transformers"]
        webui = RunningHost(host, place, [model], extensions, arguments, extension_folder=extension)
        try:
            webui.wait_until_ready().process.wait(_SETTLED_SECONDS)
        except subprocess.TimeoutExpired:  # it runs
            stack.callback(webui.stop)
            return webui
        except AssertionError:
            pass
        webui.stop()
    raise AssertionError(f"{host.name} did not start in {_STARTS} attempts:\n{webui.log()[-3000:]}")


def _load_seconds(webui: RunningHost, model: Path) -> float:
    webui.unload()
    return _seconds_inside(webui, lambda: webui.load(model.name))


def _reply_seconds(webui: RunningHost) -> float:
    """One chat message answered with ``_REPLY_TOKENS`` tokens."""
    message = {"role": "user", "content": "What does the harbor look like in the morning?"}
    body = {"messages": [message], "mode": "instruct", "max_tokens": _REPLY_TOKENS, "ban_eos_token": True}
    body |= {"temperature": 0.01, "top_k": 1, "seed": 1}
    answers: list[dict[str, Any]] = []
    seconds = _seconds_inside(webui, lambda: answers.append(webui.post("/v1/chat/completions", body)))
    reason = answers[0]["choices"][0]["finish_reason"]
    if reason != "length":
        raise AssertionError(f"A reply of {_REPLY_TOKENS} tokens was asked for, and its end was {reason!r}.")
    return seconds


def _seconds_inside(webui: RunningHost, work: Callable[[], object]) -> float:
    before = webui.ask("processor")["seconds"]
    work()
    return float(webui.ask("processor")["seconds"] - before)


def _resident_bytes(webui: RunningHost) -> float:
    import psutil

    return float(psutil.Process(webui.process.pid).memory_info().rss)
