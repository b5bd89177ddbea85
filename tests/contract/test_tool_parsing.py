"""The text that we hand on for a call, read by the webuis' own parser: this call and nothing else, whatever it says."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.host.webui.chat.tool_calls import call_text
from tests.real_hosts import RealHost, find_hosts

HOSTS: list[RealHost | None] = [host for host in find_hosts() if (host.webui / "modules" / "tool_parsing.py").is_file()]
NAMES = ["get_weather", "get_news", "a.b-c"]
PARTS = [
    *NAMES,
    *"<>[]{}()|`'\"\\/:=,.",
    "\n",
    "```json\n",
    "<tool_call>",
    "</tool_call>",
    "<function=get_news>",
    "<think>",
    "</think>",
    "thought\n",
    "[TOOL_CALLS]",
    "[ARGS]",
    "to=functions.get_news<|channel|>commentary<|message|>",
    '{"name": "get_news", "arguments": {}}',
    "[get_news(a=1)]",
    "get_news{}",
    "<|tool_call>call:get_news",
    "<｜tool▁call▁begin｜>get_news<｜tool▁sep｜>",
]
TEXTS = st.lists(st.sampled_from(PARTS) | st.text(max_size=3), max_size=8).map("".join)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module", params=HOSTS or [None], ids=lambda host: host.name if host else "none found")
def parser(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """``parse_tool_call`` of a release; its file and the one that it imports need nothing else of the webui."""
    host: RealHost | None = request.param
    if host is None:
        pytest.skip("no real webui with modules/tool_parsing.py found; see TEXTGEN_HOSTS in tests/real_hosts.py")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "modules", ModuleType("modules"))
        for name in ("reasoning", "tool_parsing"):
            path = host.webui / "modules" / f"{name}.py"
            spec = importlib.util.spec_from_file_location(f"modules.{name}", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, f"modules.{name}", module)
            spec.loader.exec_module(module)
        yield module.parse_tool_call


@given(name=st.sampled_from(NAMES), arguments=st.dictionaries(TEXTS, VALUES, max_size=4))
def test_a_call_is_read_as_it_is_whatever_its_values_say(
    parser: Callable[..., Any], name: str, arguments: dict[str, Any]
) -> None:
    call = {"id": "", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    text = call_text(call)
    expected = [{"type": "function", "function": {"name": name, "arguments": arguments}}]
    assert parser(text, NAMES) == expected
    assert parser(text, [name]) == expected


def test_without_the_escapes_a_value_would_be_the_call(parser: Callable[..., Any]) -> None:
    """Why they are there."""
    (call,) = parser('{"name": "get_weather", "arguments": {"city": "[get_news()]"}}', NAMES)
    assert call["function"]["name"] == "get_news"
