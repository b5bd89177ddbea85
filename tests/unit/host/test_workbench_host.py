"""The workbench's own model: a reply's end is not the caller's Stop."""

from __future__ import annotations

import threading

import pytest

from extensions.airoboros_longctx.host.workbench.workbench_host import WorkbenchHost
from extensions.airoboros_longctx.workbench import Workbench


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    loaded = WorkbenchHost(tmp_path_factory.mktemp("data"))
    loaded.load(Workbench.shipped_models()[0])
    return loaded


def test_a_reply_that_ends_by_itself_was_not_stopped(host):
    stopping = threading.Event()
    *_, reply = host.generate("USER: Who are you? ASSISTANT:", 4, 0.0, (), stopping)
    assert reply
    assert not stopping.is_set()


def test_a_reply_that_nobody_reads_on_ends(host):
    stopping = threading.Event()
    growing = host.generate("USER: Count. ASSISTANT:", 900, 0.0, (), stopping)
    next(growing)
    growing.close()  # which waits for the model to end
    assert host.stops_generating()
    assert not stopping.is_set()


def test_stop_ends_a_reply(host):
    stopping = threading.Event()
    growing = host.generate("USER: Count. ASSISTANT:", 900, 0.0, (), stopping)
    next(growing)
    stopping.set()
    assert len(list(growing)) < 900
    assert host.stops_generating()
