"""Internet addresses, and which of them nobody may be sent to."""

from __future__ import annotations

import ipaddress

from inference.errors import EndpointNotAllowed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local; metadata of AWS, Google, Azure, Oracle, DigitalOcean at .169.254
        "168.63.129.16/32",  # Azure's wire server
        "100.100.100.200/32",  # Alibaba's metadata
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata at .192
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",  # unspecified, and the obsolete form of an IPv4 address; loopback is taken out below
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        "2001::/32",  # Teredo, which carries an IPv4 address
        "2002::/16",  # 6to4, likewise
        "fd00:ec2::/32",  # AWS's metadata over IPv6
        "fd20:ce::/32",  # Google's
    )
)


def parse(text: str) -> Address:
    """An address from its canonical text.

    Raises
    ------
    EndpointNotAllowed
        It is none, or names a zone.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise EndpointNotAllowed("the host must be a plain name or address") from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise EndpointNotAllowed("link-local and special addresses are never allowed")
    return address


def is_dotted_quad(text: str) -> bool:
    """Whether the text is an IPv4 address in four decimal parts without leading zeros."""
    try:
        return str(ipaddress.IPv4Address(text)) == text
    except ValueError:
        return False


def network(text: str) -> Network | None:
    """The network that the text writes, if it writes one; an address is a network of one."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def unmapped(address: Address) -> Address:
    """The IPv4 address where one is written in the clothes of IPv6, ``::ffff:127.0.0.1``."""
    return getattr(address, "ipv4_mapped", None) or address


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, where it does: mapped, or behind a NAT64."""
    if any(address in each for each in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return unmapped(address)


def is_loopback(address: Address) -> bool:
    return plain(address).is_loopback


def is_never_allowed(address: Address) -> bool:
    """Link-local, multicast, unspecified, reserved and metadata addresses, in every form that they can be written in."""
    inner = plain(address)
    if inner.is_loopback:
        return False
    return any(inner in each for each in _NEVER) or inner.is_multicast or inner.is_unspecified
