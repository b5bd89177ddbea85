"""The differences between Gradio 3.33 and today's, in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

#: The id of the hidden button that the page's script presses; see ``style.css`` and ``refresh.js``.
REFRESH_BUTTON_ID = "airoboros-longctx-refresh"


def quiet(event: Callable[..., Any]) -> dict[str, Any]:
    """Arguments for an event that shows no progress overlay, waits in no queue and is no endpoint of Gradio's API.

    Gradio 4 describes each endpoint's inputs before it answers for the first time, and gives itself three seconds:
    a few events with all of the webui's fields are enough to miss that on a slow machine.
    """
    accepted = inspect.signature(event).parameters
    hidden: Any = False if "_js" in accepted else "hidden"
    return {"show_progress": hidden, "queue": False, **({"api_name": False} if _events_can_be_private() else {})}


def queued(event: Callable[..., Any]) -> dict[str, Any]:
    """The same for an event that takes its time and tells of its progress; a few people can wait for theirs at once."""
    at_once = {"concurrency_limit": 4} if "concurrency_limit" in _click_arguments() else {}
    return {**quiet(event), "queue": True, **at_once}


def at_each_key(component: Any) -> tuple[Any, dict[str, Any]]:
    """The event of a text field that follows what is typed, with its arguments.

    While one is answered, later ones wait and the last alone is sent. Gradio 3 sends every one of them: there it is
    the event of leaving the field.
    """
    if "trigger_mode" in _click_arguments() and hasattr(component, "input"):
        return component.input, {**quiet(component.input), "trigger_mode": "always_last"}
    event = getattr(component, "blur", None) or component.change
    return event, quiet(event)


def with_request(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function(value, request)`` as an event handler that Gradio hands the request: it looks for the annotation."""
    import gradio as gr

    def handle(value: Any, request: Any) -> Any:
        return function(value, request)

    handle.__annotations__ = {"request": gr.Request}
    return handle


def _events_can_be_private() -> bool:
    """Gradio 4 and 5."""
    named = _click_arguments().get("api_name")
    return named is not None and "False" in str(named.annotation)


def _click_arguments() -> dict[str, inspect.Parameter]:
    """Asked of the class: webuis from v1.8 to v3.23 hide the signatures of a component's events."""
    import gradio as gr

    click = getattr(gr.Button, "click", None)
    return dict(inspect.signature(click).parameters) if click is not None else {}


def new_session_state() -> Any:
    """A state of the page's own: each open page has its own value, None at first."""
    import gradio as gr

    return gr.State(None)


def low(component: type, pixels: int) -> dict[str, Any]:
    """Arguments for a component of this height, where this Gradio lets one say so."""
    return {"height": pixels} if "height" in inspect.signature(component.__init__).parameters else {}  # type: ignore[misc]


def refresh_regularly(refresh: Callable[..., Any], inputs: Any, outputs: Sequence[Any], seconds: float) -> None:
    """Call ``refresh`` with the values of ``inputs`` while a page is open: by ``gr.Timer`` or by a hidden button.

    Each call is one short event. Gradio 3 and early 4's ``every=`` would hold a queue slot per open page.
    """
    import gradio as gr

    if hasattr(gr, "Timer"):
        timer = gr.Timer(seconds)
        timer.tick(refresh, inputs, list(outputs), **quiet(timer.tick))
        return
    button = gr.Button("Refresh", elem_id=REFRESH_BUTTON_ID)
    button.click(refresh, inputs, list(outputs), **quiet(button.click))
