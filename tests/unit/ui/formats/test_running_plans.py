"""A plan's buttons: run, stop, and "Retry" where something failed or was stopped."""

from __future__ import annotations

import threading

import pytest

from extensions.airoboros_longctx.core.settings import Settings
from extensions.airoboros_longctx.plans.available_tools import AvailableTools
from extensions.airoboros_longctx.plans.plan_run import PlanRun
from extensions.airoboros_longctx.ui.formats.page_tools import PageTools
from tests.unit.plans.stub_tools import Gate, plan, tool
from tests.unit.ui.formats.conftest import Shown

PLAN = "Plan: Do.\n:evidence0: = Do[it]\nAnswer: :evidence0:"


@pytest.fixture
def use(panel, monkeypatch):
    """The tools of the page are these."""

    def use(*tools, problems=()):
        monkeypatch.setattr(
            "extensions.airoboros_longctx.ui.formats.page_tools.PageTools.available",
            lambda self: AvailableTools(tools, problems),
        )
        return plan(PLAN, *tools)

    return use


def fails(text):
    raise OSError("no route")


def test_a_plan_runs_to_its_answer_and_nothing_can_be_retried(panel, use):
    read = use(tool("Do", lambda text: f"did <{text}>"))
    *_, last = map(Shown, panel.plans.on_run(read, None))
    assert last.visible == ["actions", "later", "run"]
    assert last.result.startswith('<p class="airoboros-longctx-answer">did &lt;it&gt;</p>')
    *_, again = map(Shown, panel.plans.on_run(last.running, None))
    assert again.running is not last.running
    assert "did &lt;it&gt;" in again.result


def test_what_failed_can_be_retried(panel, use):
    outcomes = [fails, lambda text: "done at last"]
    read = use(tool("Do", lambda text: outcomes.pop(0)(text)))
    *_, failed = map(Shown, panel.plans.on_run(read, None))
    assert failed.visible == ["actions", "later", "run", "retry"]
    assert "OSError: no route" in failed.result
    *_, last = map(Shown, panel.plans.on_retry(failed.running))
    assert "done at last" in last.result
    assert last.visible == ["actions", "later", "run"]


def test_stop_ends_a_plan_that_waits(panel, use):
    gate = Gate("Do")
    outputs = panel.plans.on_run(use(gate.tool), None)
    running = Shown(next(outputs)).running
    assert isinstance(running, PlanRun)
    assert gate.begun.wait(60)
    panel.plans.on_stop(None, running)
    *_, last = map(Shown, outputs)
    gate.open()
    assert '<li class="stopped">' in last.result
    assert last.visible == ["actions", "later", "run", "retry"]


def test_a_broken_tool_of_a_package_is_said(panel, use):
    *_, last = map(Shown, panel.plans.on_run(use(tool("Do", str), problems=("Tool <x> is broken.",)), None))
    assert "Tool &lt;x&gt; is broken." in last.words


def test_without_a_plan(panel):
    (ran,) = map(Shown, panel.plans.on_run(None, None))
    assert "There is no plan; ask for one first." in ran.words
    (retried,) = map(Shown, panel.plans.on_retry(None))
    assert "The plan has not run yet; run it first." in retried.words
    assert retried.visible == ["actions"]


def test_stop_reaches_the_model_and_asks_it_nothing_more(panel):
    """Of four questions that wait for the model one after another, the first alone is asked."""
    begun, model, handed = threading.Event(), threading.Lock(), []

    def reply(prompt, reply_tokens, stopping):
        handed.append(stopping)
        with model:
            if stopping.is_set():
                return
            panel.host.prompts.append(prompt)
            begun.set()
            assert stopping.wait(60)
            yield "It"

    panel.host.reply = reply
    tools = PageTools(panel.host, panel.shelves, Settings(), panel.session, ()).available().tools
    steps = "".join(f"Plan: Ask.\n:evidence{n}: = KnowledgeModel[What is {n}?]\n" for n in range(4))
    outputs = panel.plans.on_run(plan(f"{steps}Answer: :evidence3:", *tools), panel.session)
    first = Shown(next(outputs))
    assert begun.wait(60)
    panel.plans.on_stop(first.stopping, first.running)
    *_, last = map(Shown, outputs)
    for thread in threading.enumerate():
        if thread.name.startswith("plan :evidence"):
            thread.join(60)
    assert [step.state for step in last.running.progress().steps] == ["stopped"] * 4
    assert len(panel.host.prompts) == 1
    assert all(stopping.is_set() for stopping in handed)
