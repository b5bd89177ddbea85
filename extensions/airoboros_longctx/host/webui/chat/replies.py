"""Replies on their way to the page: each history says which of its replies are code or from documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from .asked import ATTACHING_KEY, SESSION_KEY, Asked
from .attachments import attaches_text
from .marks import ReplyMark, mark_of, with_mark
from .prompts import SENT_KEY, RefusedPrompt, WebuiPrompts
from .tool_calls import WebuiToolCalls


class WebuiReplies:
    """The wrappers around the webui's reply functions. ``log`` takes a sentence about what went wrong."""

    def __init__(self, prompts: WebuiPrompts, log: Callable[[str], None], calls: WebuiToolCalls) -> None:
        self._prompts = prompts
        self._log = log
        self._calls = calls

    def generate_reply(self, original: Callable[..., Any], question: Any, *more: Any, **named: Any) -> Iterator[Any]:
        if isinstance(question, RefusedPrompt):
            return iter((question.sentence,))
        return iter(original(question, *more, **named))

    def generate_chat_reply(
        self, original: Callable[..., Any], text: Any, state: Any, *more: Any, **named: Any
    ) -> Iterator[Any]:
        """``state`` goes on as a copy with a list of its own, which the prompt of this very request fills."""
        sent: list[Any] = []
        if SESSION_KEY in state:
            attaching = attaches_text(text) or bool(state.get("enable_web_search"))
            state = {**state, SENT_KEY: sent, ATTACHING_KEY: attaching}
        asked = self._prompts.asked_or_nothing(state)
        again = any((*more[:2], named.get("regenerate"), named.get("_continue")))
        if not asked.page:
            histories = iter(original(text, state, *more, **named))
            return histories if asked.tools is None or again else self._calls.replies(histories, asked.tools)
        history = state["history"]
        row = len(history["internal"]) - again
        before = mark_of(history, row) if again else ReplyMark()
        mark = replace(
            before, code=self._replies_with_code(asked), documents=before.documents or asked.documents_are_on
        )
        histories = iter(original(text, state, *more, **named))
        return self._marked(histories, row, mark, sent)

    def _marked(self, histories: Iterator[Any], row: int, mark: ReplyMark, sent: list[Any]) -> Iterator[Any]:
        last = None
        for history in histories:
            mark = replace(mark, documents=mark.documents or bool(sent))
            last = with_mark(history, row, mark)
            yield last
        checked = self._checked(last, row, mark, sent) if sent else None
        if checked is not None:
            yield with_mark(last, row, checked)

    def _checked(self, history: Any, row: int, mark: ReplyMark, sent: list[Any]) -> ReplyMark | None:
        """``mark`` with what was found in the finished reply."""
        try:
            from ....core.replies.source_check import check_reply  # here, so that the webui starts without it

            for question, reply in history["internal"][row : row + 1]:
                return mark.with_check(reply, check_reply(reply, sent, question)) if reply.strip() else None
        except Exception as error:
            self._log(f"The sources of a reply could not be checked: {type(error).__name__}: {error}.")
        return None

    def _replies_with_code(self, asked: Asked) -> bool:
        return asked.plainformat and self._prompts.plainformat_separator() is not None
