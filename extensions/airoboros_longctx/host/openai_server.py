"""Any server with an OpenAI-compatible API, asked one message at a time over ``/v1/chat/completions``.

The reply is streamed, so that a server stops writing once nobody waits any more: the connection is closed then. The
address is the user's own choice; no redirect is followed and no proxy is used.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from ..core.errors import AiroborosLongctxError
from ..core.foreign_text import quoted

_MOST_REPLY_CHARACTERS = 1_000_000
_MOST_LINE_BYTES = 1 << 20
_PATH = "/v1/chat/completions"


class OpenAIServerError(AiroborosLongctxError):
    """A server that gave no reply."""


class OpenAIServer:
    """``address`` is like http://127.0.0.1:5000, with or without ``/v1``. ``model`` "" leaves the choice to the server.

    ``seconds`` is how long the server may be silent. Raises OpenAIServerError for an address that is none.
    """

    def __init__(self, address: str, model: str = "", api_key: str = "", seconds: float = 600.0) -> None:
        parts = urlsplit(address.strip())
        try:
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port = "", None
        if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
            raise OpenAIServerError(f"{quoted(address, 120)!r} is no server; one like http://127.0.0.1:5000 is needed.")
        self._encrypted, self._host, self._port, self._seconds = parts.scheme == "https", host, port, seconds
        self._path = parts.path.rstrip("/").removesuffix("/v1") + _PATH
        self._shown = f"{parts.scheme}://{parts.netloc}"
        self._model = model
        self._headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def ask(self, message: str, cancelled: Callable[[], bool], max_tokens: int, temperature: float) -> str:
        """The reply to ``message`` from a user, of at most ``max_tokens``. Raises OpenAIServerError with a sentence."""
        body: dict[str, Any] = {
            "messages": [{"role": "user", "content": message}],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
        }
        if self._model:
            body["model"] = self._model
        text = ""
        try:
            with closing(self._connection()) as connection:
                connection.request("POST", self._path, json.dumps(body).encode(), self._headers)
                for piece in _pieces(connection.getresponse()):
                    text += piece
                    if cancelled() or len(text) > _MOST_REPLY_CHARACTERS:
                        break
        except (OSError, http.client.HTTPException) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise OpenAIServerError(
                f"{quoted(self._shown, 120)} gave no reply ({quoted(reason, 80)}); see that it runs, with its API on."
            ) from error
        except _BadAnswerError as error:
            raise OpenAIServerError(f"{quoted(self._shown, 120)} {error}") from error
        return text

    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._encrypted else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=self._seconds)


class _BadAnswerError(Exception):
    """What is wrong with an answer; it continues a sentence that begins with the server's address."""


def _pieces(response: http.client.HTTPResponse) -> Iterator[str]:
    """The reply piece by piece; as one piece from a server that does not stream."""
    if response.status != 200:
        said = quoted(response.read(2000).decode("utf-8", "replace"), 200)
        raise _BadAnswerError(f"answered {response.status} {quoted(response.reason, 60)}: {said or 'nothing more'}")
    if response.headers.get_content_type() != "text/event-stream":
        yield _content(response.read(4 * _MOST_REPLY_CHARACTERS), "message")
        return
    while line := response.readline(_MOST_LINE_BYTES):
        field, _, data = line.partition(b":")
        if field.strip() == b"data":
            if data.strip() == b"[DONE]":
                return
            yield _content(data, "delta")


def _content(data: bytes, part: str) -> str:
    text = data.decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise _BadAnswerError(f"answered something that is no JSON: {quoted(text, 120)}") from None
    if isinstance(answer, dict) and answer.get("error"):
        raise _BadAnswerError(f"answered an error: {quoted(json.dumps(answer['error']), 200)}")
    try:
        choices = answer["choices"]
        content = choices[0][part].get("content") if choices else ""
    except (KeyError, IndexError, TypeError, AttributeError):
        raise _BadAnswerError("answered JSON without a reply in it; an OpenAI-compatible API is needed.") from None
    return content if isinstance(content, str) else ""
