"""The differences between Gradio 3.33 and today's, in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

#: The class of the hidden button that the page's script presses; see ``style.css`` and ``refresh.js``.
REFRESH_BUTTON_ID = "airoboros-longctx-refresh"


def quiet(event: Callable[..., Any]) -> dict[str, Any]:
    """Arguments for an event that shows no progress overlay, waits in no queue and is no endpoint of Gradio's API.

    Gradio 4 describes each endpoint's inputs before it answers for the first time, and gives itself three seconds:
    a few events with all of the webui's fields are enough to miss that on a slow machine.
    """
    accepted = inspect.signature(event).parameters
    hidden: Any = False if "_js" in accepted else "hidden"
    return {"show_progress": hidden, "queue": False, **({"api_name": False} if _events_can_be_private() else {})}


def _events_can_be_private() -> bool:
    """Gradio 4 and 5. Asked of the class: webuis from v1.8 to v3.23 hide the signatures of a component's events."""
    import gradio as gr

    click = getattr(gr.Button, "click", None)
    named = inspect.signature(click).parameters.get("api_name") if click is not None else None
    return named is not None and "False" in str(named.annotation)


def new_session_state() -> Any:
    """A state of the page's own: each open page has its own value, None at first."""
    import gradio as gr

    return gr.State(None)


def copyable(component: type) -> dict[str, Any]:
    """Arguments for a text box with a copy button, where this Gradio has one."""
    accepted = inspect.signature(component.__init__).parameters  # type: ignore[misc]
    if "show_copy_button" in accepted:
        return {"show_copy_button": True}
    return {"buttons": ["copy"]} if "buttons" in accepted else {}


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
