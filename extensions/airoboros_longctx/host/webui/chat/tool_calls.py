"""Replies to requests with ``tools``: a call in the models' format becomes one that the webui's own parser reads.

That parser looks for calls in many forms, anywhere in a growing reply. So a call is handed on in the one form that it
finds nothing else in, and what is content is kept from it.
"""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ....core.formats.tool_request import ToolRequest

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
#: What any of the webui's own forms of a call, or of a thought, is made of.
_MARKS = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>[]{}()`|"})


class _HandedOn(threading.local):
    """``content``: the reply that was just handed on in this thread as text, until the API has looked at it."""

    content: str | None = None


class WebuiToolCalls:
    """``log`` takes a sentence about a reply that is no call."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._handed_on = _HandedOn()

    def replies(self, histories: Iterator[Any], request: ToolRequest) -> Iterator[Any]:
        """``histories`` with the reply to ``request`` in their last row. A call is held back until it is complete."""
        if request.results:
            for history in histories:
                yield self._as_content(history)
            return
        last = None
        for history in histories:
            last = history
        if last is None:
            return
        call = self._call(last, request)
        if call is not None:
            yield _with_reply(last, call)
            return
        yield self._as_content(last)

    def parse_tool_call(self, original: Callable[..., Any], answer: Any, *more: Any, **named: Any) -> Any:
        """The webui's parser; what was handed on as content has no calls for it.

        The API looks at each reply once, as soon as it has it and in the same thread: other requests at the same time
        are told apart even where their replies are alike.
        """
        content, self._handed_on.content = self._handed_on.content, None
        is_content = isinstance(answer, str) and answer == content
        return original("" if is_content else answer, *more, **named)

    def _call(self, history: Any, request: ToolRequest) -> str | None:
        from ....core.formats.errors import FormatError  # here, so that the webui starts without them
        from ....core.formats.function_calling import FunctionRequest, parse
        from ....core.formats.openai_tools import tool_call

        try:
            call = parse(_reply(history), FunctionRequest(request.question, request.functions))
            return call_text(tool_call(call, request.functions, ""))
        except FormatError as error:
            self._log(f"The reply to a request with tools is handed on as text. {error}")
        except Exception as error:
            self._log(f"A reply could not be read as a call: {type(error).__name__}: {error}.")
        return None

    def _as_content(self, history: Any) -> Any:
        """``history``, whose reply is text when the API looks at it."""
        self._handed_on.content = _reply(history)
        return history


def call_text(call: dict[str, Any]) -> str:
    """An entry of ``tool_calls`` as one line of JSON with a name and arguments, the webui's simplest form.

    Signs in its texts that belong to another form are escaped: a value that looks like a call stays a value.
    """
    function = call["function"]
    text = json.dumps({"name": function["name"], "arguments": json.loads(function["arguments"])})
    return _STRING.sub(lambda string: string[0].translate(_MARKS), text)


def _reply(history: Any) -> str:
    return str(history["internal"][-1][1])


def _with_reply(history: Any, reply: str) -> dict[str, Any]:
    """A copy of ``history`` whose last reply is ``reply``."""
    texts = {"internal": reply, "visible": html.escape(reply)}
    rows = {key: [*history[key][:-1], [history[key][-1][0], text]] for key, text in texts.items()}
    return {**history, **rows}
