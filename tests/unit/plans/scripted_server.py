"""A server with an OpenAI-compatible API whose model says what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str], str]


class ScriptedServer:
    """``asked`` are the bodies of the requests, ``keys`` what they were authorised with, ``paths`` where they went."""

    def __init__(self, answer: Answer, streams: bool) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.paths: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(body)
                server.keys.append(self.headers.get("Authorization", ""))
                server.paths.append(self.path)
                reply = answer(body["messages"][-1]["content"])
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream" if streams else "application/json")
                self.end_headers()
                if not streams:
                    self._say({"choices": [{"message": {"role": "assistant", "content": reply}}]})
                    return
                self.wfile.write(b": a comment\n\n")
                for at in range(0, len(reply), 7):
                    self.wfile.write(b"data: ")
                    self._say({"choices": [{"delta": {"content": reply[at : at + 7]}}]})
                    self.wfile.write(b"\n\n")
                self.wfile.write(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')

            def _say(self, data: dict[str, Any]) -> None:
                self.wfile.write(json.dumps(data).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"


@contextmanager
def scripted(answer: Answer, streams: bool = True) -> Iterator[ScriptedServer]:
    server = ScriptedServer(answer, streams)
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()
