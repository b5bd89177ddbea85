"""Whose prompt reaches the model: the tokens carry it from where the webui knows the request to where it generates.

The webui generates in another thread, whose arguments are the tokens and numbers alone; a second request may wait at
its lock meanwhile. So the mark is on the very tensor that is handed on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.documents.chat_session import ChatSession
from .chat.asked import SESSION_KEY
from .chat.place import has_several_people, place_of

_MARK = "_airoboros_longctx_person"
#: Where the webuis keep the template: from December 2023 on, and before.
_TEMPLATE_KEYS = ("instruction_template_str", "turn_template", "context_instruct")


class WebuiPrefixes:
    """``on_other_template`` is called where a prompt is written with another template than the last."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self._template: tuple[Any, ...] | None = None
        self.on_other_template: Callable[[], None] = lambda: None

    def mark(self, state: dict[str, Any], input_ids: Any) -> None:
        """Called by the webui before each prompt is answered. ``input_ids`` is the tensor that the model is given."""
        template = tuple(state.get(key) for key in _TEMPLATE_KEYS)
        if self._template not in (None, template):
            self.on_other_template()
        self._template = template
        setattr(input_ids, _MARK, self._person(state))

    def person_of(self, input_ids: Any) -> str | None:
        """Whose prompt ``input_ids`` are; None: nobody knows. Without ``--multi-user`` there is one person for all."""
        if hasattr(input_ids, _MARK):
            person = getattr(input_ids, _MARK)
            return person if person is None else str(person)
        return None if has_several_people(self._host.arguments()) else ""

    def _person(self, state: dict[str, Any]) -> str | None:
        several = has_several_people(self._host.arguments())
        session = state.get(SESSION_KEY)
        if isinstance(session, ChatSession):
            person = place_of(state, session, self._host.arguments(), "").person
            return person if several else person or ""
        return None if several else ""
