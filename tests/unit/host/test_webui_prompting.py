"""What the loaded model's plan says of its prompts, and how the API of each release is told of a refusal."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from extensions.airoboros_longctx.host.webui.chat import prompting
from extensions.airoboros_longctx.host.webui.chat.prompting import LoadedPlan
from extensions.airoboros_longctx.host.webui.hooks import DELIBERATE

NOT_TRAINED = "By its name the loaded model was not trained on it: airoboros models from 2.0 on are."
NO_PLACE = "This webui has no place known to us where calls are read out of replies: v4.1 and later have."


def plan(function_calling):
    return SimpleNamespace(function_calling=function_calling)


@pytest.mark.parametrize(
    ("loaded", "names", "sentence"),
    [
        (None, {"parse_tool_call": print}, NOT_TRAINED),
        (plan(False), {"parse_tool_call": print}, NOT_TRAINED),
        (plan(True), {"parse_tool_call": print}, ""),
        (plan(True), {}, NO_PLACE),
        (plan(True), None, NO_PLACE),
    ],
)
def test_tools_need_a_trained_model_and_a_webui_that_reads_calls(monkeypatch, loaded, names, sentence):
    monkeypatch.delitem(sys.modules, "modules.tool_parsing", raising=False)
    if names is not None:
        module = ModuleType("modules.tool_parsing")
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, "modules.tool_parsing", module)
    assert LoadedPlan(lambda: loaded).why_no_tool_calls() == sentence


def test_the_api_is_told_which_field_is_meant(monkeypatch):
    class InvalidRequestError(Exception):
        def __init__(self, message, param):
            self.message, self.param = message, param

    own = ModuleType("modules.api.errors")
    own.InvalidRequestError = InvalidRequestError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules.api.errors", own)
    error = prompting._rejection("No tools were sent.", "tools")
    assert (error.message, error.param) == ("No tools were sent.", "tools")  # type: ignore[attr-defined]
    assert getattr(error, DELIBERATE) is True
