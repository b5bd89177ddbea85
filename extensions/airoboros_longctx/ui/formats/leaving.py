"""What goes on in the panel ends when another form is chosen, and the new form shows nothing of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from .shown_state import idle


class Stopping(threading.Event):
    """Set once what goes on shall end. ``left``: its page shows another form by then."""

    left = False


def until_left(handler: Callable[..., Iterator[list[Any]]]) -> Callable[..., Iterator[list[Any]]]:
    """``handler``, which yields as ``shown_state.busy`` says, for an event of the page.

    What still comes once another form was chosen is dropped; at its end nothing goes on, and there is no result.
    """

    def handle(*page: Any) -> Iterator[list[Any]]:
        stopping: Stopping | None = None
        for outputs in handler(*page):
            stopping = outputs[0] or stopping
            if stopping is None or not stopping.left:
                yield outputs
        if stopping is not None and stopping.left:
            yield idle("", "")

    return handle
