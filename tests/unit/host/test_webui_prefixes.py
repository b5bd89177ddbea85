"""Whose prompt reaches the model: with --multi-user only what is known to be the same person's is used again."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest

from extensions.airoboros_longctx.core.documents.chat_session import ChatSession
from extensions.airoboros_longctx.host.webui.chat.asked import SESSION_KEY
from extensions.airoboros_longctx.host.webui.prefixes import WebuiPrefixes


class Ids:
    """Stands for a tensor: it takes attributes, and a copy of it has none of them."""


class Host:
    def __init__(self, **arguments: Any) -> None:
        self._arguments = Namespace(**arguments)

    def arguments(self) -> Any:
        return self._arguments


def person(host: Host, state: dict[str, Any]) -> str | None:
    prefixes, ids = WebuiPrefixes(host), Ids()
    prefixes.mark(state, ids)
    return prefixes.person_of(ids)


def page(name: str = "") -> dict[str, Any]:
    return {SESSION_KEY: ChatSession(person=name)}


@pytest.mark.parametrize(
    ("arguments", "state", "expected"),
    [
        ({}, {}, ""),
        ({}, page(), ""),
        ({"multi_user": True}, {}, None),
        ({"multi_user": True}, page(), None),
        ({"multi_user": True}, page("ann"), None),  # nobody vouches for the name
        ({"multi_user": True, "gradio_auth": "ann:1,bob:2"}, page("ann"), "ann"),
        ({"multi_user": True, "gradio_auth": "ann:1,bob:2"}, page(), None),
        ({"multi_user": True, "gradio_auth": "ann:1,bob:2"}, {}, None),
        ({"gradio_auth_path": "logins.txt"}, page("ann"), "ann"),
        ({"gradio_auth": "ann:1"}, {}, ""),
    ],
)
def test_who_asks(arguments: dict[str, Any], state: dict[str, Any], expected: str | None) -> None:
    assert person(Host(**arguments), state) == expected


def test_tokens_without_a_mark() -> None:
    """Another extension put its own in place of ours."""
    assert WebuiPrefixes(Host(multi_user=True)).person_of(Ids()) is None
    assert WebuiPrefixes(Host()).person_of(Ids()) == ""


def test_two_requests_at_once_do_not_mix() -> None:
    prefixes = WebuiPrefixes(Host(multi_user=True, gradio_auth="ann:1,bob:2"))
    first, second = Ids(), Ids()
    prefixes.mark(page("ann"), first)
    prefixes.mark(page("bob"), second)
    assert (prefixes.person_of(first), prefixes.person_of(second)) == ("ann", "bob")


@pytest.mark.parametrize("key", ["instruction_template_str", "turn_template", "context_instruct"])
def test_another_template(key: str) -> None:
    prefixes, changes = WebuiPrefixes(Host()), []
    prefixes.on_other_template = lambda: changes.append(1)
    for template in ("one", "one", "two", "two", "one"):
        prefixes.mark({key: template}, Ids())
    assert len(changes) == 2
