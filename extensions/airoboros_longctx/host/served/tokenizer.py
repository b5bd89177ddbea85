"""Counting tokens with a server's own tokenizer, by whichever of the usual paths it has."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .address import API, ServerError
from .connection import ServerConnection

_REMEMBERED = 4096


@dataclass(frozen=True)
class _Counting:
    """One way to count. ``penalty`` is what servers of this kind call the repetition penalty."""

    kind: str
    path: str
    body: Callable[[str, str], dict[str, Any]]
    tokens: Callable[[Any], int]
    penalty: str


def _length_of_list(answer: Any) -> int:
    return len(answer["tokens"])


#: Each counts with the beginning-of-sequence token, as the server reads a prompt. Paths are below the server's root.
_WAYS = (
    _Counting(
        "llama-server",
        "/tokenize",
        lambda text, model: {"content": text, "add_special": True, "parse_special": True},
        _length_of_list,
        "repeat_penalty",
    ),
    _Counting(
        "vLLM",
        "/tokenize",
        lambda text, model: {"model": model, "prompt": text, "add_special_tokens": True},
        lambda answer: int(answer["count"]),
        "repetition_penalty",
    ),
    _Counting(
        "text-generation-webui",
        f"{API}/internal/token-count",
        lambda text, model: {"text": text},
        lambda answer: int(answer["length"]),
        "repetition_penalty",
    ),
)


class ServedTokenizer:
    """Counts tokens on the server; what was counted is remembered by a digest of the text."""

    def __init__(self, connection: ServerConnection, model: str, way: _Counting) -> None:
        self._connection = connection
        self._model = model
        self._way = way
        self._counts: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def kind(self) -> str:
        """The kind of server that counts so."""
        return self._way.kind

    @property
    def penalty(self) -> str:
        return self._way.penalty

    def count(self, text: str) -> int:
        """Tokens of ``text`` as a prompt. Raises ServerError."""
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            if key in self._counts:
                self._counts.move_to_end(key)
                return self._counts[key]
        path = self._connection.address.root + self._way.path
        answer = self._connection.ask(path, self._way.body(text, self._model))
        try:
            tokens = self._way.tokens(answer)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise ServerError(f"The server at {self._connection.address} answered {path} without a count.") from None
        with self._lock:
            self._counts[key] = tokens
            while len(self._counts) > _REMEMBERED:
                self._counts.popitem(last=False)
        return tokens


def find_tokenizer(connection: ServerConnection, model: str) -> ServedTokenizer | None:
    """The server's tokenizer; None where no known path counts a short text."""
    for way in _WAYS:
        tokenizer = ServedTokenizer(connection, model, way)
        try:
            if tokenizer.count("a b c d e") >= 2:
                return tokenizer
        except ServerError:
            continue
    return None
