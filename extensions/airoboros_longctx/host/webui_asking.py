"""One message to the webui's loaded model, outside every chat: a plan's question, or the request for a plan."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

from ..core.errors import AiroborosLongctxError
from ..core.prompts.instruction_templates import DEFAULT_TEMPLATE, instruction_template, render_conversation

#: Copying evidence, and the same words in every step, want no penalty.
_SAMPLING = {"repetition_penalty": 1.0, "stream": True, "grammar_string": ""}
_GREEDY = {"do_sample": False, "top_k": 1}


class WebuiAskingError(AiroborosLongctxError):
    """The webui's model cannot be asked."""


class WebuiAsking:
    """``template`` names the instruction template of the loaded model's generation; None or "": the usual one."""

    def __init__(self, template: Callable[[], str | None]) -> None:
        from modules import shared

        self._shared = shared
        self._template = template

    def ask(self, message: str, cancelled: Callable[[], bool], max_new_tokens: int, temperature: float) -> str:
        """The reply, without history or documents; cut short once ``cancelled`` says so. ``temperature`` 0 is greedy.

        By the webui's own function, which takes its lock itself. Raises WebuiAskingError where there is no model, or
        the message does not fit the window.
        """
        from modules import presets, text_generation

        if self._shared.model is None:
            raise WebuiAskingError("No model is loaded; load one first.")
        template = instruction_template(self._template() or DEFAULT_TEMPLATE)
        prompt = render_conversation(template, message)
        window = int(self._shared.settings["truncation_length"])
        tokens = int(text_generation.get_encoded_length(prompt))
        if tokens + max_new_tokens > window:
            raise WebuiAskingError(
                f"The question takes {tokens} tokens and {max_new_tokens} are kept for the reply; the window has "
                f"{window}. Shorten the question or the reply."
            )
        sampling: dict[str, Any] = {"do_sample": True, "temperature": temperature} if temperature > 0 else _GREEDY
        state = {
            **presets.load_preset("None"),
            **self._shared.settings,
            **_SAMPLING,
            **sampling,
            "max_new_tokens": max_new_tokens,
        }
        reply = ""
        # As chat, so that no other extension changes what is asked.
        with closing(text_generation.generate_reply(prompt, state, is_chat=True)) as replies:
            for text in replies:
                reply = str(text)
                ends = [at for at in map(reply.find, template.stop) if at >= 0]
                if ends:
                    return reply[: min(ends)].strip()
                if cancelled():
                    break
        return reply.strip()
