"""The workbench's own model, asked while another reply grows."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from extensions.airoboros_longctx.core.ports import LoadedModel
from extensions.airoboros_longctx.host.workbench.workbench_host import LOADER, WorkbenchHost

pytest.importorskip("transformers")


def test_what_was_stopped_while_it_waited_asks_the_model_nothing(tmp_path):
    host, stopping = WorkbenchHost(tmp_path), threading.Event()
    host._loaded = LoadedModel("none", LOADER, None)  # whose tokenizer and model would fail

    @contextmanager
    def another_reply():
        stopping.set()
        yield

    host.one_at_a_time = another_reply()
    assert list(host.generate("Count.", 4, 0.0, (), stopping)) == []
