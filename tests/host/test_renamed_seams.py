"""Releases that nobody prepared for: real webuis whose functions have other names, all at once and one by one.

They start, load and answer; what is lost is said by name, and everything else is as before. One by one each costs a
start of the webui: that runs with TEXTGEN_DEEP=all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from extensions.airoboros_longctx.host.webui.seams import GATHER, LOAD, PROMPT, REPLY, WINDOW, Seam
from tests.contract.webui_source import WebuiSource
from tests.host.models import BASE, CONFIRMED, FACTOR, LONG, scores_offline
from tests.host.models import WINDOW as SCALED_WINDOW
from tests.host.renamed_host import renamed_host, seams_of
from tests.host.running_host import RunningHost
from tests.real_hosts import RealHost, deep_hosts, every_host_is_deep

pytestmark = pytest.mark.host

NOT_KNOWN = "not supported here: this webui has no place known to us to "
LATER = "Such a model is looked at after its load: at the next request, or when the status line is refreshed."
NEWEST = deep_hosts()[-1:]
ONE_BY_ONE = [(host, seam) for host in deep_hosts() for seam in seams_of(host)] if every_host_is_deep() else []


@pytest.fixture
def start(models, tmp_path: Path, monkeypatch) -> Iterator[Callable[..., RunningHost]]:
    """Start a copy of a host with other names; the scaled model is on its command line."""
    running: list[RunningHost] = []
    monkeypatch.setenv("LONGCTX_PROBE_MORE", str(Path(__file__).with_name("seam_probe.py")))

    def run(host: RealHost, names: list[str], page: bool) -> RunningHost:
        arguments = ["--model", models.scaled.name, "--loader", "Transformers"]
        copy = renamed_host(host, tmp_path, names)
        running.append(RunningHost(copy, tmp_path / "run", models.all(), arguments=arguments, page=page))
        return running[0].wait_until_ready()

    yield run
    for server in running:
        server.stop()


def lost_sentences(host: RealHost, renamed: list[Seam], page: bool) -> list[str]:
    """What must be said of ``renamed``: the duties that nothing else does, and loaders whose loads pass us by."""
    left = [seam for seam in seams_of(host) if seam not in renamed]
    done, loaders = {seam.duty for seam in left}, {seam.loader for seam in left}
    lost = [seam for seam in renamed if seam.duty not in done and not seam.optional and (page or not seam.page)]
    offered = [seam.loader for seam in renamed if WebuiSource(host.webui).has_loader(seam.loader)]
    passing = [f"{LOAD} with {loader}. {LATER}" for loader in offered if loader not in loaders and LOAD in done]
    return sorted([*dict.fromkeys(f"{seam.duty}." for seam in lost), *passing])


def said_lost(server: RunningHost) -> list[str]:
    """Our sentences; the webuis' logs put times, levels and colours between them."""
    parts = re.sub(r"\x1b\[[0-9;]*m", "", server.said()).split("[airoboros_longctx] ")[1:]
    found = [part.removeprefix(NOT_KNOWN) for part in parts if part.startswith(NOT_KNOWN)]
    return sorted(re.match(rf".*?\.(?: {re.escape(LATER)})?(?= |$)", part)[0] for part in found)  # type: ignore[index]


@pytest.fixture(scope="module")
def right(models, tmp_path_factory) -> Callable[..., Any]:
    """The scores of a question, computed once without any webui: by the release's own Python, with a factor."""
    folder, known = tmp_path_factory.mktemp("offline"), {}

    def scores(host: RealHost, factor: int, input_ids: Any) -> Any:
        key = (host.name, factor, tuple(input_ids))
        if key not in known:
            known[key] = scores_offline(host, folder, models.scaled, factor, input_ids)
        return known[key]

    return scores


def expect_scaled(server: RunningHost, right: Callable[[int, Any], Any]) -> None:
    found = server.first_scores(LONG)
    assert BASE < len(found["input_ids"]) < SCALED_WINDOW
    assert np.array_equal(found["scores"], right(FACTOR, found["input_ids"]))
    assert int(found["truncation_length"]) == SCALED_WINDOW
    assert server.ask("window")["truncation_length"] == SCALED_WINDOW
    assert server.ask("seams")["status"] == CONFIRMED


def expect_plain(server: RunningHost, right: Callable[[int, Any], Any]) -> None:
    found = server.first_scores(LONG[:300])
    assert np.array_equal(found["scores"], right(1, found["input_ids"]))
    assert not np.array_equal(found["scores"], right(FACTOR, found["input_ids"]))
    assert server.ask("window")["truncation_length"] != SCALED_WINDOW


def expect_as_ever(server: RunningHost, models: Any, right: Callable[[int, Any], Any], lost: list[Seam]) -> None:
    """The model of the command line is scaled, a plain one is not, and a scaled one is again, both by the API.

    Where the place for the window is lost, it is given to the webui at the first request after a load; that request
    itself may have been cut to the window that the webui knew.
    """
    assert server.said().count(CONFIRMED) == 1
    expect_scaled(server, right)
    server.load(models.plain.name)
    expect_plain(server, right)
    server.load(models.scaled.name)
    if WINDOW in {seam.duty for seam in lost}:
        found = server.first_scores(LONG)
        assert np.array_equal(found["scores"], right(FACTOR, found["input_ids"]))
    expect_scaled(server, right)
    assert server.said().count(CONFIRMED) == 2
    assert "Traceback" not in server.log()
    assert "could not" not in server.said()


@pytest.mark.parametrize("host", NEWEST or [None], ids=lambda host: host.name if host else "none found")
def test_a_webui_with_none_of_the_names_that_we_know(host: RealHost | None, start, models, right):
    if host is None:
        pytest.skip("no real webui found; see TEXTGEN_HOSTS in tests/real_hosts.py")
    lost = seams_of(host)
    server = start(host, [seam.name for seam in lost], page=True)
    expected = lost_sentences(host, lost, page=True)
    assert expected == sorted(
        f"{seam.duty}." for seam in {seam.duty: seam for seam in lost if not seam.optional}.values()
    )
    assert said_lost(server) == expected
    found = server.ask("seams")
    assert found["wrapped"] == []
    assert found["blocked"] == f"Documents cannot be added: this webui has no place known to us to {PROMPT}."
    expect_as_ever(server, models, partial(right, host), lost)


@pytest.mark.slow
@pytest.mark.parametrize(("host", "seam"), ONE_BY_ONE or [(None, None)], ids=lambda one: getattr(one, "name", "none"))
def test_a_webui_with_one_of_the_names_changed(host: RealHost | None, seam: Seam, start, models, right):
    if host is None:
        pytest.skip("one by one runs with TEXTGEN_DEEP=all, in real webuis")
    renamed = [one for one in seams_of(host) if one.name == seam.name]
    server = start(host, [seam.name], page=seam.page)
    assert said_lost(server) == lost_sentences(host, renamed, seam.page)
    found = server.ask("seams")
    left = {f"{one.module}.{one.name}" for one in seams_of(host) if one not in renamed and one.page <= seam.page}
    assert left <= set(found["wrapped"])
    assert f"{seam.module}.{seam.name}" not in found["wrapped"]
    blocked = seam.duty if seam.duty in (PROMPT, GATHER, REPLY) else ""
    sentence = f"Documents cannot be added: this webui has no place known to us to {blocked}."
    assert found["blocked"] == (sentence if blocked else "")
    expect_as_ever(server, models, partial(right, host), renamed)
