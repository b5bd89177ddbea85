"""A server with an OpenAI-compatible API: what is asked of it, and what it may answer."""

from __future__ import annotations

import pytest

from extensions.airoboros_longctx.host.openai_server import OpenAIServer, OpenAIServerError
from tests.unit.documents.web_server import serving
from tests.unit.plans.scripted_server import scripted


def ask(server: OpenAIServer, message: str = "Hi.") -> str:
    return server.ask(message, lambda: False, 64, 0.5)


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_a_reply(streams, suffix):
    with scripted(lambda message: f"You said: {message} – Glück", streams) as server:
        assert ask(OpenAIServer(server.address + suffix, "a-65b", "secret")) == "You said: Hi. – Glück"
        assert server.paths == ["/v1/chat/completions"]
        assert server.keys == ["Bearer secret"]
        assert server.asked == [
            {
                "messages": [{"role": "user", "content": "Hi."}],
                "max_tokens": 64,
                "temperature": 0.5,
                "stream": True,
                "model": "a-65b",
            }
        ]


def test_neither_a_model_nor_a_key_is_made_up():
    with scripted(lambda message: "x") as server:
        assert ask(OpenAIServer(server.address)) == "x"
        assert server.keys == [""]
        assert "model" not in server.asked[0]


def test_a_reply_that_nobody_waits_for_is_left():
    with scripted(lambda message: "abcdefghijklmnopqrstuvwxyz") as server:
        assert OpenAIServer(server.address).ask("Hi.", lambda: True, 64, 0.0) == "abcdefg"


def answering(content: bytes, kind: str = "application/json", status: int = 200):
    def answer(handler) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (answering(b"<html>", "text/html"), "answered something that is no JSON: <html>"),
        (answering(b"[" * 100_000), f"answered something that is no JSON: {'[' * 119}…"),
        (answering(b"[]"), "answered JSON without a reply in it; an OpenAI-compatible API is needed."),
        (answering(b'{"choices": [1]}'), "answered JSON without a reply in it; an OpenAI-compatible API is needed."),
        (answering(b'{"error": {"message": "no model"}}'), 'answered an error: {"message": "no model"}'),
        (answering(b"data: nonsense\n\n", "text/event-stream"), "answered something that is no JSON: nonsense"),
        (answering(b"who are you", status=401), "answered 401 Unauthorized: who are you"),
        (answering(b"", status=307), "answered 307 Temporary Redirect: nothing more"),
    ],
)
def test_a_server_that_answers_something_else(answer, sentence):
    with serving(answer) as server:
        handler = server.http.RequestHandlerClass
        handler.do_POST = lambda self: answer(self)
        address = f"http://127.0.0.9:{server.port}"
        with pytest.raises(OpenAIServerError) as raised:
            ask(OpenAIServer(address))
        assert str(raised.value) == f"{address} {sentence}"


def test_no_server():
    with scripted(lambda message: "x") as server:
        address = server.address
    with pytest.raises(OpenAIServerError) as raised:
        ask(OpenAIServer(address))
    assert str(raised.value) == f"{address} gave no reply (Connection refused); see that it runs, with its API on."


@pytest.mark.parametrize("address", ["", "localhost:5000", "ftp://a.b", "http://", "http://a:b", "http://u:p@a.b", "x"])
def test_what_is_no_address(address):
    with pytest.raises(OpenAIServerError) as raised:
        OpenAIServer(address)
    assert str(raised.value) == f"{address!r} is no server; one like http://127.0.0.1:5000 is needed."
