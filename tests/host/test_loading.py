"""Every way a real webui loads a model: scaled, confirmed, with its window; and nothing left behind."""

from __future__ import annotations

import contextlib
import urllib.error

import numpy as np
import pytest

from tests.host.models import BASE, CONFIRMED, FACTOR, LONG, WINDOW

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def server(start, models):
    """A scaled model named on the command line: loaded before any extension is imported."""
    arguments = ["--model", models.scaled.name, "--loader", "Transformers"]
    return start(models.all(), arguments=arguments, page=False)


def expect_scaled(server, offline_scores, models):
    found = server.first_scores(LONG)
    assert BASE < len(found["input_ids"]) < WINDOW
    assert np.array_equal(found["scores"], offline_scores(models.scaled, FACTOR, found["input_ids"]))
    assert not np.array_equal(found["scores"], offline_scores(models.scaled, 1, found["input_ids"]))
    assert found["truncation_length"] == WINDOW
    window = server.ask("window")
    assert window["truncation_length"] == WINDOW
    for key in ("max_seq_len", "ctx_size"):
        assert window.get(key, WINDOW) == WINDOW


def expect_plain(server, offline_scores, models):
    found = server.first_scores(LONG[:300])
    assert np.array_equal(found["scores"], offline_scores(models.plain, 1, found["input_ids"]))
    assert server.ask("window")["truncation_length"] != WINDOW


def test_command_line_load(server, offline_scores, models):
    assert CONFIRMED in server.said()
    expect_scaled(server, offline_scores, models)


def test_api_load_unload_and_a_plain_model_after_a_scaled_one(server, offline_scores, models):
    server.load(models.plain.name)
    expect_plain(server, offline_scores, models)
    server.load(models.scaled.name)
    expect_scaled(server, offline_scores, models)
    server.unload()
    server.load(models.scaled.name)
    expect_scaled(server, offline_scores, models)


def test_failed_load_between_two_good_ones(server, offline_scores, models):
    server.load(models.scaled.name)
    with contextlib.suppress(urllib.error.HTTPError):  # v1.7 answers 200 with an error inside
        server.load(models.broken.name)
    assert not server.ask("window")["loaded"]
    server.load(models.plain.name)
    expect_plain(server, offline_scores, models)
    server.load(models.scaled.name)
    expect_scaled(server, offline_scores, models)


def test_idle_unload_and_reload(host, start, offline_scores, models):
    if "--idle-timeout" not in (host.webui / "modules" / "shared.py").read_text():
        pytest.skip(f"{host.name} has no --idle-timeout")
    arguments = ["--model", models.scaled.name, "--loader", "Transformers", "--idle-timeout", "30"]
    server = start(models.all(), arguments=arguments, page=False)
    server.ask("idle_unload")
    assert not server.ask("window")["loaded"]
    expect_scaled(server, offline_scores, models)
    assert server.ask("window")["loaded"]
