"""One web page's bytes: the address that was checked is the address that is connected to, after every redirect too.

No proxies, no cookies, nothing kept between requests. The answer is bounded, packed and unpacked, and so is the time.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin

from ..core.foreign_text import quoted
from .limits import DOWNLOAD_SECONDS, MOST_DOWNLOAD_BYTES, MOST_REDIRECTS
from .public_address import is_public_address
from .read_document import Cancelled, DocumentReadError, ReadingCancelledError
from .web_address import Resolver, WebAddress, checked_addresses, parse_web_address

_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK_BYTES = 1 << 16
_LOOK_EVERY_SECONDS = 0.05
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; airoboros_longctx)",
    "Accept": "text/html,application/xhtml+xml,text/plain,application/pdf;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "gzip, identity",
    "Connection": "close",
}


@dataclass(frozen=True)
class Network:
    """How the network is reached. Only tests make another one: no setting leads here."""

    resolve: Resolver = socket.getaddrinfo
    is_allowed: Callable[[str], bool] = is_public_address
    seconds: float = DOWNLOAD_SECONDS
    most_bytes: int = MOST_DOWNLOAD_BYTES
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context


PUBLIC_INTERNET = Network()


@dataclass(frozen=True)
class Download:
    """``url`` is where the last redirect led; ``content_type`` and ``charset`` are the header's, or ""."""

    url: str
    content_type: str
    charset: str
    content: bytes


class _Connection(http.client.HTTPConnection):
    """To one of the given numeric addresses, whatever the host's name leads to by now."""

    def __init__(
        self, address: WebAddress, numeric: tuple[str, ...], network: Network, is_stopped: Callable[[], bool]
    ) -> None:
        super().__init__(address.host, address.port, timeout=network.seconds)
        self._numeric = numeric
        self._is_stopped = is_stopped
        self._tls = network.tls() if address.scheme == "https" else None
        if (address.scheme, address.port) == ("https", 443):
            self.default_port = 443  # the Host header then leaves it out

    def connect(self) -> None:
        for number, numeric in enumerate(self._numeric, 1):
            try:
                self.sock = socket.create_connection((numeric, self.port), self.timeout)
                break
            except OSError:
                if number == len(self._numeric):
                    raise
        if self._is_stopped():  # while there was no socket to shut down: nobody waits for an answer any more
            raise TimeoutError
        if self._tls:  # in two steps, so that a handshake without end can be ended too
            encrypted = self._tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = encrypted
            encrypted.do_handshake()


def download(url: str, cancelled: Cancelled | None = None, network: Network = PUBLIC_INTERNET) -> Download:
    """Raises DocumentReadError with one sentence, ReadingCancelledError where ``cancelled`` said so.

    The request runs in a thread of its own that is left behind when its time is over: neither a slow name server nor a
    server that sends a byte now and then can hold the caller.
    """
    request = _Request(url, network)
    deadline = time.monotonic() + network.seconds
    request.thread.start()
    while request.thread.is_alive():
        request.thread.join(_LOOK_EVERY_SECONDS)
        if cancelled and cancelled():
            request.stop()
            raise ReadingCancelledError(f"{quoted(url, 120)} was not read: it was cancelled.")
        if request.thread.is_alive() and time.monotonic() > deadline:
            request.stop()
            raise DocumentReadError(
                f"{quoted(url, 120)} did not arrive within {network.seconds:g} seconds; try again, or save the page as "
                "a file and add that."
            )
    if request.error:
        raise request.error
    assert request.result is not None
    return request.result


class _Request:
    def __init__(self, url: str, network: Network) -> None:
        self.thread = threading.Thread(target=self._run, args=(url,), daemon=True)
        self.result: Download | None = None
        self.error: DocumentReadError | None = None
        self._network = network
        self._connection: _Connection | None = None
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def _run(self, url: str) -> None:
        shown = quoted(url, 120)
        try:
            self.result = self._follow(parse_web_address(url))
        except DocumentReadError as error:
            self.error = error
        except ssl.SSLError as error:
            self.error = DocumentReadError(
                f"{shown} has no certificate that can be trusted, or speaks no TLS ({quoted(error.reason or '', 60)}); "
                "save the page as a file and add that."
            )
        except (http.client.HTTPException, zlib.error, ValueError, EOFError) as error:
            self.error = DocumentReadError(
                f"{shown} gave an answer that is broken or was cut short ({type(error).__name__}); try again."
            )
        except Exception as error:  # a thread must not end without a word
            reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            self.error = DocumentReadError(f"{shown} could not be reached ({quoted(reason, 80)}); try again later.")

    def _follow(self, address: WebAddress) -> Download:
        for _ in range(MOST_REDIRECTS + 1):
            numeric = checked_addresses(address, self._network.resolve, self._network.is_allowed)
            if self._stopped:
                raise DocumentReadError("It was stopped.")
            self._connection = _Connection(address, numeric, self._network, lambda: self._stopped)
            try:
                self._connection.request("GET", address.target, headers=_HEADERS)
                response = self._connection.getresponse()
                location = response.headers.get("Location", "")
                if response.status not in _REDIRECTS or not location:
                    return self._receive(address, response)
            finally:
                self._connection.close()
            address = parse_web_address(urljoin(address.url, location))
        raise DocumentReadError(
            f"{quoted(address.url, 120)} was reached after {MOST_REDIRECTS} redirects and leads further; the address "
            "of the page itself is needed."
        )

    def _receive(self, address: WebAddress, response: http.client.HTTPResponse) -> Download:
        shown = quoted(address.url, 120)
        if response.status != 200:
            raise DocumentReadError(
                f"{shown} answered {response.status} {quoted(response.reason, 60)}; a page that can be read without "
                "signing in is needed."
            )
        packing = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packing not in ("identity", "gzip", "x-gzip", ""):
            raise DocumentReadError(
                f"{shown} came packed as {quoted(packing, 40)}, which was not asked for; try again."
            )
        most = self._network.most_bytes
        unpacker = zlib.decompressobj(wbits=31) if packing.endswith("gzip") else None
        content = bytearray()
        received = 0
        while chunk := response.read(_CHUNK_BYTES):
            received += len(chunk)
            content += unpacker.decompress(chunk, most + 1 - len(content)) if unpacker else chunk
            if received > most or len(content) > most:
                raise DocumentReadError(
                    f"{shown} has more than {most >> 20} MiB; save the part you need as a file and add that."
                )
        if response.length or (unpacker and not unpacker.eof):  # http.client itself says nothing of a short answer
            raise http.client.IncompleteRead(b"")
        headers = response.headers
        named = headers.get("Content-Type") is not None
        charset = (headers.get_content_charset() or "") if named else ""
        return Download(address.url, headers.get_content_type() if named else "", charset, bytes(content))
