"""A model that an OpenAI-compatible server holds: what the server says of it, and its replies to exact prompts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...core.foreign_text import quoted, whole_characters
from ...core.model_facts import ServedFacts
from ...core.token_estimate import ESTIMATE_ID, estimate_tokens
from .address import ServerError
from .connection import NoSuchPathError, ServerConnection
from .tokenizer import ServedTokenizer, find_tokenizer

#: Where an entry of the server's list of models may name the window that it serves.
_WINDOW_KEYS = ("max_model_len", "context_length", "context_window")


@dataclass(frozen=True)
class ServerOptions:
    """What the user said of a server. ``model`` None is its first one; ``context_tokens`` None is what it says."""

    address: str
    api_key: str = field(default="", repr=False)
    model: str | None = None
    context_tokens: int | None = None
    template: str | None = None


class ServedModel:
    """One model on a server."""

    def __init__(self, connection: ServerConnection, facts: ServedFacts, tokenizer: ServedTokenizer | None) -> None:
        self._connection = connection
        self.facts = facts
        self._tokenizer = tokenizer

    @property
    def tokenizer_id(self) -> str:
        return ESTIMATE_ID if self._tokenizer is None else f"{self.facts.server} {self.facts.model}"

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` as a prompt by the server's tokenizer, or an estimate. Raises ServerError."""
        return estimate_tokens(text) if self._tokenizer is None else self._tokenizer.count(text)

    def reply(
        self,
        prompt: str,
        max_new_tokens: int,
        temperature: float,
        stop: tuple[str, ...],
        stopping: threading.Event,
        repetition_penalty: float | None = None,
    ) -> Iterator[str]:
        """The pieces of the reply to exactly ``prompt``. ServerError, or UnfinishedReplyError after the first piece."""
        body: dict[str, Any] = {
            "model": self.facts.model,
            "prompt": prompt,
            "max_tokens": max_new_tokens,
            "temperature": temperature,
            "stream": True,
        }
        if stop:
            body["stop"] = list(stop)
        if repetition_penalty is not None and self._tokenizer is not None:
            body[self._tokenizer.penalty] = repetition_penalty
        try:
            for event in self._connection.stream(f"{self._connection.address.api}/completions", body, stopping):
                yield _text_of(event)
        except NoSuchPathError as error:
            raise ServerError(
                f"{error} An exact prompt needs the text completion endpoint, /v1/completions, which llama-server, "
                "vLLM and text-generation-webui have."
            ) from error


def list_models(connection: ServerConnection) -> list[dict[str, Any]]:
    """The server's list of models, each with its name in ``id``. Raises ServerError."""
    answer = connection.ask(f"{connection.address.api}/models")
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise ServerError(
            f"The server at {connection.address} answered /models without a list of models. "
            "Is it an OpenAI-compatible server?"
        )
    return [one for one in entries if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]]


def open_served_model(connection: ServerConnection, options: ServerOptions) -> tuple[ServedModel, list[str]]:
    """The model that is asked for, and the names of all there are. Raises ServerError with a sentence."""
    try:
        entries = list_models(connection)
    except NoSuchPathError:
        if not options.model:
            raise
        entries = [{"id": options.model}]  # a server without a list; whether it has the model shows at the first reply
    names = [str(one["id"]) for one in entries]
    if not names:
        raise ServerError(f"The server at {connection.address} has no model loaded; load one there, then press Load.")
    name = options.model or names[0]
    if name not in names:
        there = ", ".join(repr(quoted(one, 80)) for one in names[:8])
        raise ServerError(f"The server at {connection.address} has no model {quoted(name)!r}; it has {there}.")
    connection.require_key(f"{connection.address.api}/completions")  # llama-server lists its models to anybody
    window, said_by = _window(connection, entries[names.index(name)])
    tokenizer = find_tokenizer(connection, name)
    facts = ServedFacts(
        name,
        str(connection.address),
        window,
        said_by,
        options.context_tokens,
        options.template,
        counted_by=tokenizer.kind if tokenizer is not None else "",
    )
    return ServedModel(connection, facts, tokenizer), names


def _window(connection: ServerConnection, entry: dict[str, Any]) -> tuple[int | None, str]:
    """The window in tokens that the server says, and where it says so; None where it does not."""
    meta = entry.get("meta")
    for place, said in (("", entry), ("meta ", meta if isinstance(meta, dict) else {})):
        for key in (*_WINDOW_KEYS, "n_ctx"):
            if (found := _tokens(said.get(key))) is not None:
                return found, f"the server's /v1/models, {place}{key}"
    try:
        props = connection.ask(f"{connection.address.root}/props")
    except ServerError:
        return None, ""
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    found = _tokens(settings.get("n_ctx")) if isinstance(settings, dict) else None
    return found, "the server's /props, n_ctx" if found is not None else ""


def _tokens(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _text_of(event: dict[str, Any]) -> str:
    """The text of one event; "" for one that brings none, such as the last, with the number of tokens."""
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    text = first.get("text") if isinstance(first, dict) else None
    return whole_characters(text) if isinstance(text, str) else ""
