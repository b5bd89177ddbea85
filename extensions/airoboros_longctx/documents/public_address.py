"""Which addresses of the network may be opened for a URL that anybody may have written: public ones alone."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

#: RFC 6052: an IPv4 address behind a translator; it is what the last 32 bits say.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public_address(address: str) -> bool:
    """Whether a numeric address is one of a single machine on the public internet, and so are all addresses in it.

    IPv6 has ways to carry an IPv4 address (mapped, 6to4, Teredo, NAT64): such an address is where that one is.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    carried = _carried(parsed)
    if carried:
        return all(_is_public(one) for one in carried)
    return _is_public(parsed)


def _carried(address: _Address) -> tuple[ipaddress.IPv4Address, ...]:
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def _is_public(address: _Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not (isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address.scope_id is not None))
    )
