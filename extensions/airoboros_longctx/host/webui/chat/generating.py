"""The webui's loaded model, asked outside the chat: with an exact prompt, by the webui's own function."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from typing import Any

#: With one token to choose from, neither the seed nor the temperature matters.
_GREEDY = {"do_sample": False, "top_k": 1, "repetition_penalty": 1.0, "grammar_string": ""}
_READ_UNDER_THE_LOCK = "custom_stopping_strings"


class _NobodyWaits(Exception):
    """The reply is not wanted any more."""


def reply_to(
    prompt: str, reply_tokens: int, stop: Sequence[str] = (), stopping: threading.Event | None = None
) -> Generator[str, None, None]:
    """The greedy reply of at most ``reply_tokens`` tokens as it grows: all of it at every step.

    It ends before the first of the strings ``stop``, and soon after ``stopping`` is set. Whatever loader holds the
    model answers, and the webui's lock is taken by its own function: a reply that grows in a chat is waited for. Where
    ``stopping`` is set by then, the model is asked nothing.
    """
    from modules import presets, shared, text_generation

    class State(dict[str, Any]):
        """The webui takes its lock, reads these strings, and generates: reading them is the last chance to leave."""

        def __getitem__(self, name: str) -> Any:
            if name == _READ_UNDER_THE_LOCK and stopping is not None and stopping.is_set():
                raise _NobodyWaits
            return super().__getitem__(name)

    asked = {"max_new_tokens": reply_tokens, "stream": stopping is not None}
    state = State({**presets.load_preset("None"), **shared.settings, **_GREEDY, **asked})
    # As chat, so that no other extension changes what is asked.
    with (
        suppress(_NobodyWaits),
        closing(text_generation.generate_reply(prompt, state, stopping_strings=list(stop), is_chat=True)) as replies,
    ):
        for reply in replies:
            yield str(reply)
            if stopping is not None and stopping.is_set():
                return
