"""When the service has prompts kept, and when it lets them go."""

from __future__ import annotations

from typing import Any

import pytest

from extensions.airoboros_longctx.core.ports import LoadedModel
from extensions.airoboros_longctx.core.settings import Settings
from extensions.airoboros_longctx.service import LongContextService
from tests.unit.service.conftest import House

SCALED = "linear ×4 · 8192 tokens · Transformers · confirmed on the live model"


class FakePrefixes:
    """Remembers what was asked of it; ``fails`` makes everything raise."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.kept = ""
        self.fails = False

    def _note(self, what: Any) -> None:
        if what != "status":
            self.calls.append(what)
        if self.fails:
            raise RuntimeError("it broke")

    def watch(self, model: Any) -> None:
        self._note(model)

    def release(self) -> None:
        self._note("release")

    def invalidate(self) -> None:
        self._note("invalidate")

    def status(self) -> str:
        self._note("status")
        return self.kept


@pytest.fixture
def prefixes(house: House) -> FakePrefixes:
    fake = FakePrefixes()
    house.service = LongContextService(house.host, house.rope, lambda: house.chosen, fake)
    return fake


def test_a_load_lets_go_before_and_keeps_after(house, prefixes):
    house.load("scaled")
    assert prefixes.calls == ["release", house.host.loaded.model]


def test_a_load_that_is_not_ours_lets_go_as_well(house, prefixes):
    house.chosen = Settings(apply_scaling=False)
    assert house.service.before_load("scaled", "Transformers") is None
    assert prefixes.calls == ["release"]


def test_a_model_that_was_there_before(house, prefixes):
    model = house.hold("scaled")
    house.service.status()
    assert prefixes.calls[-1] is model
    before = len(prefixes.calls)
    house.service.status()
    assert len(prefixes.calls) == before


def test_also_where_nothing_is_scaled(house, prefixes):
    house.chosen = Settings(apply_scaling=False)
    model = house.hold("scaled")
    house.service.status()
    assert prefixes.calls[-1] is model


def test_a_change_of_loras(house, prefixes, tmp_path):
    """The model stays; what it reads of a prompt does not."""
    model = house.hold("scaled")
    house.service.status()
    prefixes.calls.clear()
    house.host.loaded = LoadedModel("scaled", "Transformers", model, (tmp_path,))
    house.service.status()
    assert prefixes.calls == ["invalidate", model]


def test_an_unloaded_model(house, prefixes):
    house.load("scaled")
    house.service.status()
    prefixes.calls.clear()
    house.host.loaded = None
    house.service.status()
    assert prefixes.calls == ["release"]


def test_what_is_kept_is_in_the_status_line(house, prefixes):
    house.load("scaled")
    assert house.service.status().headline == SCALED
    prefixes.kept = "prefix of 7,400 tokens kept, 220 MiB"
    assert house.service.status().headline == f"{SCALED} · prefix of 7,400 tokens kept, 220 MiB"


def test_its_failure_is_nobodys(house, prefixes):
    prefixes.fails = True
    assert house.load("scaled").headline == SCALED
    assert house.service.status().headline == SCALED
    assert house.host.problems[-1] == (
        "Could not keep prompts: RuntimeError: it broke. The model answers as without this."
    )
