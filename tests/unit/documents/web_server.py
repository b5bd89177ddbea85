"""A real web server on an address of this machine's own, and a network in which that one address counts as public."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from extensions.airoboros_longctx.documents.download import Network
from extensions.airoboros_longctx.documents.public_address import is_public_address

#: Not 127.0.0.1, which has to stay as private as it is.
SERVER = "127.0.0.9"


class Server:
    """``answer`` is called with the handler of each request; ``asked`` are host and target of each."""

    def __init__(self, answer: Callable[[Any], None], tls: ssl.SSLContext | None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append((self.headers["Host"], self.path))
                server.headers.append(dict(self.headers))
                try:
                    answer(self)
                except OSError:  # the other side has gone, as it should
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer((SERVER, 0), Handler)
        self.http.daemon_threads = True
        if tls:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_address[1]

    def network(self, **options: Any) -> Network:
        """``web.test`` is the server; other names are what the system says, and only public ones are allowed."""

        def resolve(host: str, port: int, **given: Any) -> Any:
            return socket.getaddrinfo(SERVER if host == "web.test" else host, port, **given)

        return Network(
            **{"resolve": resolve, "is_allowed": lambda one: one == SERVER or is_public_address(one), **options}
        )


@contextmanager
def serving(answer: Callable[[Any], None], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(answer, tls)
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()
        thread.join()


def page(content: bytes, content_type: str = "text/plain", **headers: str) -> Callable[[Any], None]:
    """Answers with this content, whatever is asked for."""

    def answer(handler: Any) -> None:
        handler.send_response(200)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(content)), **headers}.items():
            if content_type or name != "Content-Type":
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def redirect(location: str, status: int = 302) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        handler.send_response(status)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer
