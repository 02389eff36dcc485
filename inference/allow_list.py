"""Which addresses an endpoint may have: loopback, and the private model network that the host's settings name.

Checked when an endpoint is stored and again before each request, since names can come to resolve elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit, urlunsplit

from inference.errors import EndpointNotAllowed

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_ADVICE = "use a loopback address, or name the host in LEHIA_MODEL_HOSTS"


def check_endpoint_url(url: str, *, hosts: Iterable[str]) -> str:
    """The address in its normal form, without a trailing slash.

    Parameters
    ----------
    url
        ``http`` or ``https``, a host, optionally a port and a path.
    hosts
        Names and networks (``10.1.0.0/16``) beyond loopback that are allowed. Link-local addresses never are.

    Raises
    ------
    EndpointNotAllowed
        With a text that says what to do. A host that does not resolve is refused too.
    """
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        raise EndpointNotAllowed("the port is not a number from 1 to 65535") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise EndpointNotAllowed("the address must look like http://host:port/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise EndpointNotAllowed(
            "the address must hold no user, query or fragment; keys go into their own field"
        )
    host = parts.hostname.lower().rstrip(".")
    _check_host(host, tuple(hosts))
    netloc = f"[{host}]" if ":" in host else host
    return urlunsplit(
        (parts.scheme, netloc if port is None else f"{netloc}:{port}", parts.path.rstrip("/"), "", "")
    )


def _check_host(host: str, allowed: tuple[str, ...]) -> None:
    names = {each.lower() for each in allowed if not _network(each)}
    networks = [network for each in allowed if (network := _network(each))]
    for address in _resolve(host):
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            raise EndpointNotAllowed(f"link-local and special addresses are never allowed; {_ADVICE}")
        inside = any(address in network for network in networks)
        if not (address.is_loopback or inside or (host in names and not address.is_global)):
            raise EndpointNotAllowed(f"this host is not on the allow-list; {_ADVICE}")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def _resolve(host: str) -> list[_Address]:
    try:
        return [_plain(ipaddress.ip_address(host))]
    except ValueError:
        pass  # a name
    if host == "localhost":
        return [ipaddress.ip_address("127.0.0.1")]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise EndpointNotAllowed(f"this host does not resolve; {_ADVICE}") from None
    return [_plain(ipaddress.ip_address(str(item[4][0]).partition("%")[0])) for item in found]


def _plain(address: _Address) -> _Address:
    """An IPv4 address in IPv6 clothes counts as what it is."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
