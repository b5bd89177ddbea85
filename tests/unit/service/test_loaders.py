"""Engines whose rotary embedding cannot be called: their loader is asked; and what a loaded model still needs."""

from __future__ import annotations

from extensions.airoboros_longctx.core.load_status import Verdict
from extensions.airoboros_longctx.core.ports import LoadedModel
from extensions.airoboros_longctx.core.rope_scaling import RopeReading
from tests.unit.service.fakes import FakeModel


def told(factor: float, length: int | None = 8192) -> RopeReading:
    return RopeReading("linear", factor, 0, 10000.0, 0, 0.0, "", length)


def load_unreadable(house):
    """Load the scaled model with ExLlama into an engine without a rotary embedding that can be called."""
    pending = house.service.before_load("scaled", "ExLlama")
    model = FakeModel(None)
    house.service.end_of_load(pending)
    status = house.service.after_load(pending, model)
    house.host.loaded = LoadedModel("scaled", "ExLlama", model)
    return status


def test_what_the_loader_was_told_confirms_the_plan_in_other_words(house):
    house.host.told = told(4.0)
    status = load_unreadable(house)
    assert status.verdict is Verdict.CONFIRMED
    assert status.headline == "linear ×4 · 8192 tokens · ExLlama · confirmed by the loader's own settings"
    assert house.host.window == 8192


def test_a_loader_that_was_told_something_else_is_wrong(house):
    house.host.told = told(1.0)
    assert load_unreadable(house).verdict is Verdict.WRONG
    house.host.told = told(4.0, 4096)
    status = load_unreadable(house)
    assert (status.verdict, house.host.window) == (Verdict.WRONG, 2048)
    assert "end at 4096 tokens" in status.headline


def test_a_loader_that_does_not_say_is_not_confirmed(house):
    assert load_unreadable(house).verdict is Verdict.WRONG
    house.host.broken = {"read_loader"}
    assert load_unreadable(house).verdict is Verdict.WRONG
    assert any("read_loader broke" in line for line in house.host.problems)


def test_what_could_not_be_finished_is_said_beside_the_verdict(house):
    house.host.unfinished = ("Long prompts will fail.",)
    status = house.load("scaled", "Transformers")
    assert (status.verdict, status.advice) == (Verdict.CONFIRMED, "Long prompts will fail.")
    house.host.broken = {"finish_load"}
    assert house.load("scaled", "Transformers").verdict is Verdict.CONFIRMED
    assert any("finish_load broke" in line for line in house.host.problems)
