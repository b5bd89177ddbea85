"""A URL taken apart, and the addresses behind it: both checked before anything is opened."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from ..core.foreign_text import quoted
from .public_address import is_public_address
from .read_document import DocumentReadError

#: ``socket.getaddrinfo``, or what stands in for it in a test.
Resolver: TypeAlias = Callable[..., list[tuple[Any, ...]]]

_PORTS = {"http": 80, "https": 443}
_LOWEST_FREE_PORT = 1024
_URL_CHARACTERS = 2000
_HOST = re.compile(r"[0-9a-zA-Z._-]+|[0-9a-fA-F:.]+(%[0-9a-zA-Z]+)?")
_KEPT = "/%:@!$&'()*+,;=~-._?"


@dataclass(frozen=True)
class WebAddress:
    """Where a request goes. ``host`` is ASCII, ``target`` is the path with the query, ``url`` has no fragment."""

    url: str
    scheme: str
    host: str
    port: int
    target: str


def parse_web_address(url: str) -> WebAddress:
    """Raises DocumentReadError for what is no plain address of a web page.

    Ports below 1024 other than 80 and 443 belong to services (mail, for one) that could be made to do something by
    the lines of a request; the web's other servers listen above.
    """
    url = url.strip()
    shown = quoted(url, 120)
    if len(url) > _URL_CHARACTERS:
        raise DocumentReadError(
            f"{shown} has {len(url):,} characters; an address of at most {_URL_CHARACTERS} is needed."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise DocumentReadError(f"{shown} is no web address; one like https://web.site/page is needed.") from None
    if parts.scheme not in _PORTS or not host:
        raise DocumentReadError(f"{shown} is no web address; one that begins with http:// or https:// is needed.")
    if "@" in parts.netloc:
        raise DocumentReadError("The address holds a user name or a password; one without them is needed.")
    if port is not None and port not in _PORTS.values() and port < _LOWEST_FREE_PORT:
        raise DocumentReadError(
            f"{shown} names port {port}; web pages are read from 80, 443, and {_LOWEST_FREE_PORT} up."
        )
    try:
        host = host if ":" in host else host.encode("idna").decode("ascii")
        if not _HOST.fullmatch(host):
            raise UnicodeError
    except UnicodeError:
        raise DocumentReadError(f"{shown} names no host that could exist; look at its spelling.") from None
    query = f"?{quote(parts.query, safe=_KEPT, errors='replace')}" if parts.query else ""
    target = quote(parts.path or "/", safe=_KEPT, errors="replace") + query
    netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    return WebAddress(f"{parts.scheme}://{netloc}{target}", parts.scheme, host, port or _PORTS[parts.scheme], target)


def checked_addresses(
    address: WebAddress, resolve: Resolver = socket.getaddrinfo, is_allowed: Callable[[str], bool] = is_public_address
) -> tuple[str, ...]:
    """The numeric addresses of the host, asked for once; whoever connects connects to one of these.

    Raises DocumentReadError where one of them is not public: a name that leads inside as well is no public name.
    """
    try:
        found = resolve(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DocumentReadError(
            f"The host {quoted(address.host, 80)} was not found; look at the address and at your connection."
        ) from None
    numeric = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    refused = next((one for one in numeric if not is_allowed(one)), None)
    if refused is not None or not numeric:
        raise DocumentReadError(
            f"The host {quoted(address.host, 80)} has the address {quoted(refused or 'none', 60)}, which is not on the "
            "public internet; only public pages are read. Save the page as a file and add that."
        )
    return numeric
