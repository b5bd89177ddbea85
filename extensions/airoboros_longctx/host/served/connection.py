"""Requests to an OpenAI-compatible server: JSON, and replies that are streamed as server-sent events.

No redirect is followed, so the key goes to the server that was named and nowhere else; no proxy is asked.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

from ...core.errors import UnfinishedReplyError
from ...core.foreign_text import quoted
from .address import ServerAddress, ServerError

_ANSWER_SECONDS = 15.0
#: A large model may read a long prompt for minutes before its first token.
_PIECE_SECONDS = 1800.0
_ANSWER_BYTES = 16 << 20
_LINE_BYTES = 4 << 20
_END = b"[DONE]"


class NoSuchPathError(ServerError):
    """The server does not have what was asked for."""


class KeyRefusedError(ServerError):
    """The server wants a key, or another one."""


class ServerConnection:
    """Asks one server. Every method raises ServerError with a sentence, in which the key never stands."""

    def __init__(self, address: ServerAddress, api_key: str = "") -> None:
        self.address = address
        self._api_key = api_key

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON answer to a GET of ``path``, or to a POST of ``body``."""
        with closing(self._connect(_ANSWER_SECONDS)) as connection:
            answer = self._send(connection, path, body)
            return self._json(path, self._read(answer))

    def require_key(self, path: str) -> None:
        """Raise KeyRefusedError where ``path``, which is for a POST, is not even looked at without the right key."""
        try:
            self.ask(path)
        except KeyRefusedError:
            raise
        except ServerError:
            return  # asked with a GET it has no answer, which is all that was wanted

    def stream(self, path: str, body: dict[str, Any], stopping: threading.Event) -> Iterator[dict[str, Any]]:
        """The events of a streamed reply. Ends at once, and closes the connection, when ``stopping`` is set.

        Raises UnfinishedReplyError where the server breaks off after the first event. A server that answers as a whole
        gives one event.
        """
        if stopping.is_set():
            return
        connection, events = self._connect(_PIECE_SECONDS), 0
        over = threading.Event()
        closer = threading.Thread(target=_close_when, args=(stopping, over, connection.sock), daemon=True)
        closer.start()
        try:
            for event in self._events(path, self._send(connection, path, body)):
                if stopping.is_set():
                    return
                yield event
                events += 1
        except (ServerError, OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            if stopping.is_set():
                return  # it was we who closed it
            sentence = str(error) if isinstance(error, ServerError) else self._broken(error)
            if events:
                raise UnfinishedReplyError(f"The reply is not finished. {sentence}") from error
            raise (error if isinstance(error, ServerError) else ServerError(sentence)) from error
        finally:
            over.set()
            connection.close()

    # -- one request -------------------------------------------------------------------------------------------------

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        address = self.address
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.host, address.port, timeout=_ANSWER_SECONDS)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ServerError(
                f"There is no server at {address}: {_reason(error)}. Start it, or correct --server."
            ) from error
        connection.sock.settimeout(seconds)
        return connection

    def _send(
        self, connection: http.client.HTTPConnection, path: str, body: dict[str, Any] | None
    ) -> http.client.HTTPResponse:
        headers = {"Accept": "application/json, text/event-stream"}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode("utf-8"), "application/json"
        try:
            connection.request("GET" if body is None else "POST", path, content, headers)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(self._broken(error)) from error
        if answer.status != 200:
            raise self._refusal(path, answer)
        return answer

    def _refusal(self, path: str, answer: http.client.HTTPResponse) -> ServerError:
        status = answer.status
        if 300 <= status < 400:
            return ServerError(
                f"The server at {self.address} sends {path} on to another address (status {status}), which is not "
                "followed. Give --server the address itself."
            )
        said = self._message(answer)
        if status in (401, 403):
            key = "the key that was given" if self._api_key else "a request without a key"
            return KeyRefusedError(
                f"The server at {self.address} does not accept {key} (status {status}){said}. "
                "Give its key by --api-key-file or --api-key-env."
            )
        sentence = f"The server at {self.address} answered {path} with status {status}{said}."
        return (NoSuchPathError if status in (404, 405, 501) else ServerError)(sentence)

    def _message(self, answer: http.client.HTTPResponse) -> str:
        """What the server says of its refusal, quoted; "" where it says nothing that can be shown."""
        try:
            said = json.loads(answer.read(_LINE_BYTES))
        except (OSError, http.client.HTTPException, ValueError, RecursionError):
            return ""
        error = said.get("error", said) if isinstance(said, dict) else None
        for place in (error, said):
            if isinstance(place, dict) and isinstance(place.get("message") or place.get("detail"), str):
                return f": “{self.shown(place.get('message') or place['detail'])}”"
        return f": “{self.shown(error)}”" if isinstance(error, str) else ""

    def shown(self, text: object) -> str:
        """A server's words as one line, and never with the key in it."""
        words = str(text)
        return quoted(words.replace(self._api_key, "…") if self._api_key else words)

    # -- what came back ------------------------------------------------------------------------------------------------

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        try:
            content = answer.read(_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(self._broken(error)) from error
        if len(content) > _ANSWER_BYTES:
            raise ServerError(f"The answer of the server at {self.address} is larger than {_ANSWER_BYTES >> 20} MiB.")
        return content

    def _json(self, path: str, content: bytes) -> Any:
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            start = self.shown(content[:80].decode("utf-8", "replace"))
            raise ServerError(
                f"The server at {self.address} answered {path} with something that is not JSON: “{start}”. "
                "Is it an OpenAI-compatible server, and does --server end as it should (usually /v1)?"
            ) from None

    def _events(self, path: str, answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
        if "text/event-stream" not in (answer.getheader("Content-Type") or ""):
            yield self._event(path, self._read(answer))
            return
        finished = False
        while line := answer.readline(_LINE_BYTES):
            if not line.startswith(b"data:"):
                continue  # a comment, an event's name, or the empty line after an event
            data = line[len(b"data:") :].strip()
            if data == _END:
                return
            event = self._event(path, data)
            finished = finished or _is_last(event)
            yield event
        if not finished:
            raise ServerError(f"The server at {self.address} ended the connection before the end of the reply.")

    def _event(self, path: str, data: bytes) -> dict[str, Any]:
        event = self._json(path, data)
        if not isinstance(event, dict):
            raise ServerError(f"The server at {self.address} answered {path} with no JSON object.")
        if event.get("error"):
            error = event["error"]
            said = error.get("message", error) if isinstance(error, dict) else error
            raise ServerError(f"The server at {self.address} reports an error: “{self.shown(said)}”.")
        return event

    def _broken(self, error: Exception) -> str:
        return f"The connection to the server at {self.address} broke: {_reason(error)}."


def _is_last(event: dict[str, Any]) -> bool:
    choices = event.get("choices")
    return bool(
        isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0].get("finish_reason")
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return quoted(error.strerror)
    return quoted(f"{type(error).__name__} {error}".strip())


def _close_when(stopping: threading.Event, over: threading.Event, connected: socket.socket) -> None:
    """End what reads from ``connected`` as soon as the reply is not wanted any more; it may wait for minutes."""
    while not over.is_set():
        if stopping.wait(0.2):
            if not over.is_set():
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
            return
