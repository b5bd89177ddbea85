"""A real webui with this extension against the same without it, with a model that needs no scaling: time and memory.

The two run side by side, several times over, and are asked in turn through the webui's API; of what one such pair does
several times, the medians are compared. The load is of a model that takes about a second; what every load takes longer,
whatever its model, is seen with one of 28 M and said beside. The webui's own extension ``gallery`` is the measure for
our import and setup.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.real_hosts import RealHost

from .large_llama import make_large_llama
from .measuring import in_turn, row, spoken_seconds
from .pair_of_webuis import GALLERY, OURS, REPLY_TOKENS, MeasuredWebui, compiled_copy, newest_host
from .random_llama import make_random_llama
from .rows import Options, Row

NAME = "extension-cost"
_MEGABYTE = 1_000_000
#: In every pair of webuis.
_LOADS, _REPLIES = 12, 8

#: Of every pair of webuis one: with us, without us.
Pairs = list[tuple[float, float]]


@dataclass
class _Seen:
    """Seconds, and bytes of ``memory``. ``setups`` are our import and setup, and those of gallery."""

    setups: Pairs = field(default_factory=list)
    loads: Pairs = field(default_factory=list)
    small_loads: Pairs = field(default_factory=list)
    replies: Pairs = field(default_factory=list)
    memory: Pairs = field(default_factory=list)


def rows(options: Options) -> Iterator[Row]:
    host = newest_host()
    seen = _Seen()
    with tempfile.TemporaryDirectory() as folder:
        small = make_random_llama(Path(folder) / "random-llama", window=2048)
        large = small if options.quick else make_large_llama(Path(folder) / "large-llama")
        extension = compiled_copy(host, Path(folder) / OURS)
        for number in range(options.pairs()):
            _one_pair(host, Path(folder) / str(number), extension, (small, large), seen, turned=bool(number % 2))
    yield from _rows_of(host.name, seen)


def _one_pair(
    host: RealHost, folder: Path, extension: Path, models: tuple[Path, Path], seen: _Seen, turned: bool
) -> None:
    small, large = models
    measured = [OURS, GALLERY] if turned else [GALLERY, OURS]
    with ExitStack() as stack:
        ours = MeasuredWebui(stack, host, folder / "with", extension, list(dict.fromkeys(models)), measured)
        theirs = MeasuredWebui(stack, host, folder / "without", extension, list(dict.fromkeys(models)), [GALLERY])
        took = ours.setup_seconds()
        seen.setups.append((took[OURS], took[GALLERY]))
        for webui in (ours, theirs):
            webui.load_seconds(small)  # the first one imports the library
            webui.reply_seconds()
        seen.memory.append((ours.memory_bytes(), theirs.memory_bytes()))
        asked = in_turn(partial(_load_and_ask, ours, small), partial(_load_and_ask, theirs, small), _REPLIES)
        with_us, without = ([statistics.median(seconds) for seconds in zip(*side, strict=True)] for side in asked)
        seen.small_loads.append((with_us[0], without[0]))
        seen.replies.append((with_us[1], without[1]))
        loads = in_turn(partial(ours.load_seconds, large), partial(theirs.load_seconds, large), _LOADS)
        seen.loads.append((statistics.median(loads[0]), statistics.median(loads[1])))


def _load_and_ask(webui: MeasuredWebui, model: Path) -> tuple[float, float]:
    """The seconds of a load, and of a reply of a model that has kept nothing of the question before."""
    load = webui.load_seconds(model)
    webui.warm_up()
    return load, webui.reply_seconds()


def _rows_of(host: str, seen: _Seen) -> Iterator[Row]:
    name, against = f"{host}, unscaled model", "the same webui without us"
    replies, plain_replies = _medians(seen.replies)
    yield row(
        f"{name}: tokens per second",
        against,
        [theirs / ours for ours, theirs in seen.replies],
        at_least=0.99,
        measured=f"{REPLY_TOKENS / replies:.1f}, {REPLY_TOKENS / plain_replies:.1f} tokens/s",
    )
    loads, plain_loads = _medians(seen.loads)
    more = statistics.median(ours - theirs for ours, theirs in seen.small_loads)
    yield row(
        f"{name}: load time",
        against,
        [ours / theirs for ours, theirs in seen.loads],
        at_most=1.02,
        measured=f"{spoken_seconds(loads)}, {spoken_seconds(plain_loads)}; {more * 1000:.1f} ms more for one of 28 M",
    )
    setup, gallery = _medians(seen.setups)
    yield row(
        f"{host}: import and setup, beyond gallery's",
        "50 ms",
        [(ours - theirs) / 0.05 for ours, theirs in seen.setups],
        at_most=1.0,
        measured=f"{spoken_seconds(setup)}, {spoken_seconds(gallery)}",
    )
    with_us, without = _medians(seen.memory)
    yield row(
        f"{name}: memory, beyond the same without us",
        "10 MB",
        [(ours - theirs) / (10 * _MEGABYTE) for ours, theirs in seen.memory],
        at_most=1.0,
        measured=f"{with_us / _MEGABYTE:.1f}, {without / _MEGABYTE:.1f} MB",
    )


def _medians(pairs: Pairs) -> tuple[float, float]:
    return statistics.median(ours for ours, _ in pairs), statistics.median(theirs for _, theirs in pairs)
