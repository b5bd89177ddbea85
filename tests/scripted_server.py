"""An OpenAI-compatible server with scripted replies: the stand-in for models that are too large for a test.

    with ScriptedServer(lambda prompt: "42", models=["airoboros-65b-gpt4-m2.0"]) as server:
        ...  # server.url is http://127.0.0.1:PORT/v1
    assert server.prompts == ["…"]

A script gets the exact prompt and gives the reply: a string, which is streamed in short pieces, or the pieces
themselves. ``kind`` is the server whose own paths it has: its tokenizer, its window. It also speaks llama-server's
native paths, so a webui can use it in that place (tests/host/llama_server_stand_in).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Script = Callable[[str], str | Iterable[str]]
LLAMA_SERVER, VLLM, WEBUI = "llama-server", "vLLM", "text-generation-webui"
BOS = "<s>"
_BOS_ID = 1
_PIECES = re.compile(r" ?[A-Za-z]+|.", re.DOTALL)


class Tokens:
    """Words and signs as tokens, each with the next free id; every text comes back as it was."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._pieces: list[str] = []
        self._lock = threading.Lock()

    def encode(self, text: str, start: bool = False) -> list[int]:
        with self._lock:
            ids = [_BOS_ID] if start else []
            for piece in _PIECES.findall(text):
                if piece not in self._ids:
                    self._ids[piece] = len(self._pieces) + _BOS_ID + 1
                    self._pieces.append(piece)
                ids.append(self._ids[piece])
            return ids

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(BOS if one == _BOS_ID else self._pieces[one - _BOS_ID - 1] for one in ids)


class ScriptedServer:
    """Answers on a port of this machine until it is closed."""

    def __init__(
        self,
        script: Script,
        models: Sequence[str] = ("airoboros-65b-gpt4-m2.0",),
        window: int | None = 2048,
        kind: str | None = LLAMA_SERVER,
        key: str = "",
        seconds_between: float = 0.0,
        completions: bool = True,
        port: int = 0,
    ) -> None:
        """``kind`` None: nothing but the OpenAI-compatible paths. ``seconds_between`` two pieces of a reply.

        ``completions`` False: it has no text completion endpoint. ``port`` 0 is a free one.
        """
        self.script, self.models, self.window, self.kind, self.key = script, list(models), window, kind, key
        self.seconds_between, self.completions = seconds_between, completions
        self.tokens = Tokens()
        #: Every prompt that was to be completed, exactly as it came, and the whole body of its request.
        self.prompts: list[str] = []
        self.requests: list[dict[str, Any]] = []
        #: Method and path of every request, and its Authorization header or "".
        self.asked: list[tuple[str, str, str]] = []
        #: Set when a client has closed its connection before the end of a reply.
        self.left = threading.Event()

        class Handler(_Handler):
            scripted = self

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def open_paths(self) -> tuple[str, ...]:
        """What is told without the key."""
        return ("/health", "/v1/models") if self.kind == LLAMA_SERVER else ("/health",)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    # -- what it answers ---------------------------------------------------------------------------------------------

    def get(self, path: str) -> Any:
        """The answer to a GET; None: there is no such path."""
        if path == "/v1/models":
            return {"object": "list", "data": [self._model(name) for name in self.models]}
        if path == "/health":
            return {"status": "ok"}
        if path == "/props" and self.kind == LLAMA_SERVER:
            return {"bos_token": BOS, "default_generation_settings": {"n_ctx": self.window}}
        return None

    def _model(self, name: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"id": name, "object": "model"}
        if self.kind == LLAMA_SERVER:
            entry["meta"] = {"n_vocab": 32000, "n_ctx_train": 999_999}
        elif self.kind == VLLM:
            entry["max_model_len"] = self.window
        return entry

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to a POST that is no completion; None: there is no such path."""
        if path == "/tokenize" and self.kind == LLAMA_SERVER and "content" in body:
            return {"tokens": self.tokens.encode(body["content"], bool(body.get("add_special")))}
        if path == "/detokenize" and self.kind == LLAMA_SERVER:
            return {"content": self.tokens.decode(body["tokens"])}
        if path == "/tokenize" and self.kind == VLLM and "prompt" in body and body.get("model") in self.models:
            return {"count": len(self.tokens.encode(body["prompt"], True)), "max_model_len": self.window}
        if path == "/v1/internal/token-count" and self.kind == WEBUI:
            return {"length": len(self.tokens.encode(body["text"], True))}
        return None

    def pieces(self, body: dict[str, Any]) -> Iterable[str]:
        """The reply to the prompt in ``body``, which is remembered. Ids are made text, without the first token."""
        prompt = body["prompt"]
        if not isinstance(prompt, str):
            prompt = self.tokens.decode(prompt).removeprefix(BOS)
        self.prompts.append(prompt)
        self.requests.append(body)
        reply = self.script(prompt)
        return re.findall(r".{1,7}", reply, re.DOTALL) if isinstance(reply, str) else reply


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: ScriptedServer

    def do_GET(self) -> None:
        if self._may_ask():
            self._answer(self.scripted.get(self.path))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if not self._may_ask():
            return
        if self.path == "/v1/completions" and self.scripted.completions:
            self._complete(body, lambda text, last: {"choices": [{"text": text, "finish_reason": last or None}]})
        elif self.path == "/completion" and self.scripted.kind == LLAMA_SERVER:
            self._complete(body, lambda text, last: {"content": text, "stop": bool(last)})
        else:
            self._answer(self.scripted.post(self.path, body))

    def _may_ask(self) -> bool:
        given = self.headers.get("Authorization", "")
        self.scripted.asked.append((self.command, self.path, given))
        if self.scripted.key and given != f"Bearer {self.scripted.key}" and self.path not in self.scripted.open_paths:
            self._answer({"error": {"message": f"Incorrect API key provided: {given}"}}, 401)
            return False
        return True

    def _answer(self, answer: Any, status: int = 200) -> None:
        if answer is None:
            answer, status = {"error": {"message": "Not Found"}}, 404
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _complete(self, body: dict[str, Any], event: Callable[[str, str], dict[str, Any]]) -> None:
        pieces = self.scripted.pieces(body)
        if not body.get("stream"):
            self._answer(event("".join(pieces), "stop"))
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for piece in pieces:
                self._send(event(piece, ""))
                time.sleep(self.scripted.seconds_between)
            self._send(event("", "stop"))
            if self.path.startswith("/v1/"):
                self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            self.scripted.left.set()

    def _send(self, event: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, *said: Any) -> None:
        """Say nothing: pytest shows what matters."""
