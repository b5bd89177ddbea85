"""Requests to a server: what it may answer, and what is said of it. The key is never shown and goes nowhere else."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from extensions.airoboros_longctx.core.errors import AiroborosLongctxError, UnfinishedReplyError
from extensions.airoboros_longctx.host.served.address import ServerError, parse_server_address
from extensions.airoboros_longctx.host.served.connection import NoSuchPathError, ServerConnection

KEY = "sk-secret-4417"


@contextmanager
def raw_server(answer: bytes | Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends ``answer``, or does it, for whatever it is asked; its address, and what it was asked."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                asked.append(request_of(client))
                if callable(answer):
                    answer(client)
                else:
                    client.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", asked
    finally:
        listening.close()


def request_of(client: socket.socket) -> bytes:
    """One whole request: its head, and as much as its Content-Length says."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


def response(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Connection: close", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def events(*data: str) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"
    return head + "".join(f"data: {one}\n\n" for one in data).encode()


def said_of(url: str, kind: type[AiroborosLongctxError] = ServerError, key: str = KEY) -> str:
    """The sentence that asking ``url`` for its models fails with, its address as HERE."""
    with pytest.raises(kind) as error:
        ServerConnection(parse_server_address(url), key).ask("/v1/models")
    return str(error.value).replace(url, "HERE")


def streamed(url: str, stopping: threading.Event | None = None) -> Iterator[dict[str, object]]:
    connection = ServerConnection(parse_server_address(url), KEY)
    return connection.stream("/v1/completions", {"prompt": "x"}, stopping or threading.Event())


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "shown", "root"),
    [
        ("http://127.0.0.1:5000/v1", "http://127.0.0.1:5000/v1", ""),
        (" http://127.0.0.1:5000/v1/ ", "http://127.0.0.1:5000/v1", ""),
        ("http://localhost:8080", "http://localhost:8080/v1", ""),
        ("https://models.example/api/v1", "https://models.example/api/v1", "/api"),
        ("http://[::1]:8000", "http://[::1]:8000/v1", ""),
    ],
)
def test_an_address_is_what_was_typed_and_v1_where_no_path_was(typed, shown, root):
    address = parse_server_address(typed)
    assert (str(address), address.root) == (shown, root)


@pytest.mark.parametrize(
    "typed", ["", "127.0.0.1:5000", "ftp://x/v1", "http://", "http://x:99999", "http://x/a b", "http://x/v1?y"]
)
def test_what_is_no_address_is_refused(typed):
    with pytest.raises(ServerError) as error:
        parse_server_address(typed)
    assert str(error.value) == (
        f"{typed!r} is no address of a server; an address such as http://127.0.0.1:5000/v1 is needed."
    )


def test_a_password_in_an_address_is_refused_and_not_shown():
    with pytest.raises(ServerError) as error:
        parse_server_address(f"http://me:{KEY}@127.0.0.1/v1")
    assert str(error.value) == (
        "A server's address with a name or password in it is not used; give a key by --api-key-file."
    )


def test_only_a_loopback_address_is_this_machine():
    found = [parse_server_address(f"http://{one}/v1").is_this_machine for one in ("127.0.0.1", "localhost", "10.0.0.5")]
    assert found == [True, True, False]


# -- what a server answers ---------------------------------------------------------------------------------------------


def test_no_server():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = said_of(f"http://127.0.0.1:{port}/v1")
    assert said == "There is no server at HERE: Connection refused. Start it, or correct --server."


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_key_that_is_not_accepted_and_is_never_shown(status):
    body = f'{{"error": {{"message": "Incorrect API key provided: {KEY}"}}}}'.encode()
    with raw_server(response(status, body)) as (url, asked):
        assert said_of(url) == (
            f"The server at HERE does not accept the key that was given (status {status[:3]}): "
            "“Incorrect API key provided: …”. Give its key by --api-key-file or --api-key-env."
        )
        assert f"Authorization: Bearer {KEY}".encode() in asked[0]


def test_a_key_that_is_needed():
    with raw_server(response("401 Unauthorized")) as (url, asked):
        assert said_of(url, key="") == (
            "The server at HERE does not accept a request without a key (status 401). "
            "Give its key by --api-key-file or --api-key-env."
        )
        assert b"Authorization" not in asked[0]


def test_a_redirect_is_not_followed():
    with raw_server(response("200 OK", b"{}")) as (elsewhere, asked_there):
        with raw_server(response("307 Temporary Redirect", b"", f"Location: {elsewhere}/models")) as (url, asked):
            assert said_of(url) == (
                "The server at HERE sends /v1/models on to another address (status 307), which is not followed. "
                "Give --server the address itself."
            )
        assert (len(asked), asked_there) == (1, [])


def test_no_such_path():
    with raw_server(response("404 Not Found", b'{"detail": "Not Found"}')) as (url, _):
        assert said_of(url, NoSuchPathError) == "The server at HERE answered /v1/models with status 404: “Not Found”."


def test_an_error_of_the_server():
    with raw_server(response("500 Internal Server Error", b"<html>odd")) as (url, _):
        assert said_of(url) == "The server at HERE answered /v1/models with status 500."


def test_something_that_is_not_json():
    with raw_server(response("200 OK", b"<html>\n<b>Welcome</b>")) as (url, _):
        assert said_of(url) == (
            "The server at HERE answered /v1/models with something that is not JSON: “<html> <b>Welcome</b>”. "
            "Is it an OpenAI-compatible server, and does --server end as it should (usually /v1)?"
        )


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff\xfe", b""])
def test_hostile_json_is_a_sentence(body):
    with raw_server(response("200 OK", body)) as (url, _):
        assert "with something that is not JSON" in said_of(url)


def test_something_that_is_not_http():
    with raw_server(b"SSH-2.0-OpenSSH_9.2\r\n") as (url, _):
        assert said_of(url) == "The connection to the server at HERE broke: BadStatusLine SSH-2.0-OpenSSH_9.2."


# -- streams -----------------------------------------------------------------------------------------------------------


def test_events_come_one_by_one_until_done():
    with raw_server(events('{"a": 1}', '{"b": "é"}', "[DONE]", '{"c": 3}')) as (url, asked):
        assert list(streamed(url)) == [{"a": 1}, {"b": "é"}]
        assert asked[0].startswith(b"POST /v1/completions HTTP/1.1\r\n")


def test_comments_event_names_and_carriage_returns_are_no_events():
    body = events() + b': ping\r\n\r\nevent: completion\r\ndata:{"a": 1}\r\n\r\ndata: [DONE]\r\n\r\n'
    with raw_server(body) as (url, _):
        assert list(streamed(url)) == [{"a": 1}]


def test_a_finish_reason_ends_a_reply_without_done():
    last = '{"choices": [{"text": "", "finish_reason": "stop"}]}'
    with raw_server(events('{"a": 1}', last)) as (url, _):
        assert len(list(streamed(url))) == 2


def test_a_reply_as_a_whole_is_one_event():
    body = b'{"choices": [{"text": "42"}]}'
    with raw_server(response("200 OK", body, "Content-Type: application/json")) as (url, _):
        assert list(streamed(url)) == [{"choices": [{"text": "42"}]}]


def test_what_came_before_a_break_stays():
    with raw_server(events('{"a": 1}', '{"b": 2}')) as (url, _):
        reply = streamed(url)
        assert [next(reply), next(reply)] == [{"a": 1}, {"b": 2}]
        with pytest.raises(UnfinishedReplyError) as error:
            next(reply)
        assert str(error.value) == (
            f"The reply is not finished. The server at {url} ended the connection before the end of the reply."
        )


def test_a_break_before_the_first_event_is_an_error():
    with raw_server(events()) as (url, _), pytest.raises(ServerError) as error:
        list(streamed(url))
    assert str(error.value) == f"The server at {url} ended the connection before the end of the reply."


def test_an_error_in_the_stream_is_told_without_the_key():
    with raw_server(events('{"a": 1}', f'{{"error": {{"message": "out of memory, {KEY}"}}}}')) as (url, _):
        with pytest.raises(UnfinishedReplyError) as error:
            list(streamed(url))
        assert str(error.value) == (
            f"The reply is not finished. The server at {url} reports an error: “out of memory, …”."
        )


def test_an_event_that_is_not_json_is_an_error():
    with raw_server(events('{"a": 1}', "{half")) as (url, _), pytest.raises(UnfinishedReplyError, match="is not JSON"):
        list(streamed(url))


def test_stop_ends_a_reply_whose_server_is_silent():
    """The server never says a word: only the end of the connection can wake whoever reads."""
    closed, stopping = threading.Event(), threading.Event()

    def say_nothing(client: socket.socket) -> None:
        client.sendall(events('{"a": 1}'))
        client.settimeout(30)
        if client.recv(1) == b"":
            closed.set()

    with raw_server(say_nothing) as (url, _):
        pieces = streamed(url, stopping)
        assert next(pieces) == {"a": 1}
        threading.Timer(0.3, stopping.set).start()
        assert list(pieces) == []
        assert closed.wait(20)


def test_stop_before_the_first_event_is_no_error():
    stopping = threading.Event()

    def wait(client: socket.socket) -> None:
        stopping.wait(20)
        time.sleep(1)

    with raw_server(wait) as (url, _):
        threading.Timer(0.2, stopping.set).start()
        assert list(streamed(url, stopping)) == []


def test_a_request_that_nobody_waits_for_is_not_sent():
    stopping = threading.Event()
    stopping.set()
    assert list(streamed("http://127.0.0.1:1/v1", stopping)) == []  # nothing is there, which would be an error


def test_whoever_leaves_closes_the_connection():
    closed = threading.Event()

    def say_on(client: socket.socket) -> None:
        client.sendall(events('{"a": 1}'))
        client.settimeout(30)
        if client.recv(1) == b"":
            closed.set()

    with raw_server(say_on) as (url, _):
        pieces = streamed(url)
        next(pieces)
        pieces.close()
        assert closed.wait(20)
