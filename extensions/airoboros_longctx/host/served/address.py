"""The address of an OpenAI-compatible server, as a person types it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ...core.errors import AiroborosLongctxError
from ...core.foreign_text import quoted

API = "/v1"
_PORTS = {"http": 80, "https": 443}


class ServerError(AiroborosLongctxError):
    """A server that is not there, or answers something that cannot be used."""


@dataclass(frozen=True)
class ServerAddress:
    """``api`` is the path under which the OpenAI-compatible paths are; ``root`` the one of the server's own."""

    scheme: str
    host: str
    port: int
    api: str

    @property
    def root(self) -> str:
        return self.api.removesuffix(API)

    @property
    def is_this_machine(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.api}"


def parse_server_address(text: str) -> ServerAddress:
    """``http://127.0.0.1:5000/v1``; without a path ``/v1`` is meant. Raises ServerError with a sentence."""
    needed = "an address such as http://127.0.0.1:5000/v1 is needed."
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ServerError(f"{quoted(text)!r} is no address of a server; {needed}") from None
    if "@" in parts.netloc:
        raise ServerError("A server's address with a name or password in it is not used; give a key by --api-key-file.")
    unusable = any(character <= " " or character > "~" for character in text.strip())
    if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.fragment or unusable:
        raise ServerError(f"{quoted(text)!r} is no address of a server; {needed}")
    return ServerAddress(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/") or API)
