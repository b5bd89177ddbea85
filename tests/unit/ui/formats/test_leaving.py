"""Another form is chosen while something goes on: it ends, and the new form has nothing of it."""

from __future__ import annotations

from extensions.airoboros_longctx.plans.available_tools import AvailableTools
from extensions.airoboros_longctx.ui.formats.leaving import until_left
from extensions.airoboros_longctx.ui.formats.page_tools import PageTools
from tests.unit.plans.stub_tools import Gate, plan
from tests.unit.ui.formats.conftest import Shown


def is_blank(shown: Shown) -> bool:
    parts = (shown.stopping, shown.running, shown.words, shown.result, shown.visible)
    return parts == (None, None, "", "", ["actions"])


def test_of_a_reply_that_grew(panel):
    panel.host.replies = [["One", "One two", "One two three"]]
    outputs = until_left(panel.asking.on_ask)(*panel.fields("Joke", "herring"))
    next(outputs)
    grows = Shown(next(outputs))
    assert "One" in grows.result
    panel.plans.on_leave(grows.stopping, grows.running)
    (last,) = map(Shown, outputs)
    assert is_blank(last)
    assert panel.host.replies == []


def test_of_a_plan_that_ran(panel, monkeypatch):
    gate = Gate("Do")
    monkeypatch.setattr(PageTools, "available", lambda self: AvailableTools((gate.tool,)))
    read = plan("Plan: Do.\n:evidence0: = Do[it]\nAnswer: :evidence0:", gate.tool)
    outputs = until_left(panel.plans.on_run)(read, None)
    runs = Shown(next(outputs))
    assert gate.begun.wait(60)
    panel.plans.on_leave(runs.stopping, runs.running)
    (last,) = map(Shown, outputs)
    gate.open()
    assert runs.running.progress().state == "stopped"
    assert is_blank(last)


def test_what_nobody_left_is_shown_to_its_end(panel):
    panel.host.replies = [["One", "One two"]]
    outputs = until_left(panel.asking.on_ask)(*panel.fields("Joke", "herring"))
    *_, last = map(Shown, outputs)
    assert "One two" in last.result


def test_where_nothing_goes_on_nothing_is_left(panel):
    panel.plans.on_leave(None, None)
    (failed,) = map(Shown, until_left(panel.plans.on_run)(None, None))
    assert "There is no plan; ask for one first." in failed.words
