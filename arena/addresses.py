"""Where a request comes from: the one reading of ``X-Forwarded-For``, for pages, accounts, the API and sockets."""

from __future__ import annotations

import ipaddress

IPV6_NETWORK_BITS = 64
"""What one household or host has."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def visitor(peer: str, forwarded: str, *, proxies: int) -> str:
    """The visitor's address, past *proxies* of ours; empty where it is not known, and then all such visitors count as one.

    Each proxy adds the address that it was spoken to from at the right end of *forwarded*, the header. What stands further to the left a visitor may have
    made up, so it is never read.
    """
    if proxies == 0:
        return _clean(peer)
    hops = forwarded.split(",")
    return _clean(hops[-proxies]) if len(hops) >= proxies else ""


def household(address: str) -> str:
    """Whom limits count as one: an IPv4 address, or the /64 of an IPv6 address."""
    return _network(address, 32, IPV6_NETWORK_BITS)


def neighbourhood(address: str) -> str:
    """A wider network, as one attacker may rent it: /24 of IPv4, /48 of IPv6."""
    return _network(address, 24, 48)


def _network(address: str, bits4: int, bits6: int) -> str:
    if not address:
        return ""
    parsed = ipaddress.ip_address(address)
    bits = bits4 if parsed.version == 4 else bits6
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def _clean(text: str) -> str:
    try:
        parsed = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        # an interface's name is no part of an address, and an IPv4 address in IPv6's clothes is that IPv4 address
        parsed = parsed.ipv4_mapped or ipaddress.IPv6Address(int(parsed))
    return str(parsed)
