"""One step of ours broken at a time, in a webui in miniature: it loads as before, and one line says what failed."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from extensions.airoboros_longctx import extension, script
from extensions.airoboros_longctx.core.ports import Host, Rope
from extensions.airoboros_longctx.host.webui import hooks
from extensions.airoboros_longctx.host.webui.failure_points import FAILURE_POINTS, LOAD, RELOAD, FailurePoint
from tests.unit.host.conftest import OLD

PACKAGE = "extensions.airoboros_longctx"
HOOKS = ("setup", "ui", "state_modifier", "custom_css", "custom_js")


def owner_of(step: str) -> tuple[Any, str]:
    """The module or class that holds ``step``, and its name there."""
    path, _, name = step.rpartition(".")
    try:
        return importlib.import_module(f"{PACKAGE}.{path}"), name
    except ImportError:
        module, _, class_name = path.rpartition(".")
        return getattr(importlib.import_module(f"{PACKAGE}.{module}"), class_name), name


@pytest.mark.parametrize("point", FAILURE_POINTS, ids=lambda point: point.step)
def test_every_row_names_a_step_that_is_there(point: FailurePoint):
    owner, name = owner_of(point.step)
    assert callable(getattr(owner, name))
    assert point.then
    assert name in vars(owner)


def test_no_step_is_there_twice():
    assert len({point.step for point in FAILURE_POINTS}) == len(FAILURE_POINTS)


@pytest.mark.parametrize(
    ("protocol", "place"),
    [
        (Host, "host.webui.webui_host.WebuiHost"),
        (hooks.WebuiWindow, "host.webui.webui_host.WebuiHost"),
        (Rope, "rope.engine.RopeEngine"),
        (hooks.Loads, "service.LongContextService"),
    ],
)
def test_every_method_of_a_port_is_a_row(protocol, place):
    methods = {name for name, value in vars(protocol).items() if callable(value) and not name.startswith("_")}
    assert methods
    assert {f"{place}.{name}" for name in methods} <= {point.step for point in FAILURE_POINTS}


def test_every_hook_that_the_webui_calls_is_a_row():
    assert all(callable(getattr(script, hook)) for hook in HOOKS)
    assert {f"extension.{hook}" for hook in HOOKS} <= {point.step for point in FAILURE_POINTS}


@pytest.fixture
def broken(monkeypatch):
    """Break steps, wherever they are bound in our package."""

    def run(*steps: str) -> None:
        for step in steps:
            owner, name = owner_of(step)
            original = vars(owner)[name]

            def fail(*args: Any, step: str = step, **kwargs: Any) -> Any:
                raise RuntimeError(f"injected at {step}")

            places = [owner]
            if not isinstance(owner, type):
                places = [module for key, module in list(sys.modules.items()) if key.startswith(f"{PACKAGE}.")]
            for place in places:
                for key, value in list(vars(place).items()):
                    if value is original:
                        monkeypatch.setattr(place, key, fail)

    return run


#: The fake rope stands for the first; the miniature's model has no template of ours, and can always be read back.
NOT_IN_MINIATURE = {
    "rope.class_patch.ClassPatch.revert",
    "host.webui.webui_host.WebuiHost.use_template",
    "host.webui.webui_host.WebuiHost.read_loader",
}
TOGETHER_WITH = {"host.webui.webui_host.WebuiHost.withdraw_window": "core.load_verdict.judge"}


@pytest.mark.parametrize(
    "point", [point for point in FAILURE_POINTS if point.step not in NOT_IN_MINIATURE], ids=lambda point: point.step
)
def test_a_broken_step_never_reaches_the_webui(webui, point: FailurePoint, broken, monkeypatch, capsys):
    monkeypatch.setattr(webui.shared.args, "extensions", ["airoboros_longctx"])
    monkeypatch.setattr(f"{PACKAGE}.rope.engine.RopeEngine", lambda: webui.rope)
    monkeypatch.setattr(extension, "_extension", None)
    monkeypatch.setattr(script, "_said", set())
    monkeypatch.setattr(f"{PACKAGE}.host.webui.capabilities._installed", lambda loader: True)
    loader = "ExLlama" if webui.release == OLD and point.when == RELOAD else None
    if loader:
        webui.load("scaled", loader)
    rope_step = point.step.rpartition(".")[2] if point.step.startswith("rope.engine") else ""
    if rope_step:
        webui.rope.broken = {"patch_classes", rope_step}
    else:
        broken(*filter(None, [point.step, TOGETHER_WITH.get(point.step)]))
    script.setup()
    try:
        if loader is None:
            webui.load("scaled")
        assert webui.shared.model is not None
        assert webui.shared.model.factor in (1.0, 4.0)
        state = {"loader": "ExLlama", "truncation_length": 2048}
        assert webui.models_settings.apply_model_settings_to_state("scaled", dict(state))["truncation_length"] > 0
        assert script.state_modifier({"truncation_length": 2048})["truncation_length"] in (2048, 8192)
        webui.load("plain", loader)
        assert webui.shared.model is not None
    finally:
        if extension._extension is not None:
            extension._extension.hooks.revert()
    said = "\n".join(webui.log) + capsys.readouterr().err
    if not rope_step and (loader or point.when == LOAD):
        assert f"injected at {point.step}" in said
        assert "[airoboros_longctx]" in said
