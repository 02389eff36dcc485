"""Which addresses an endpoint may have: loopback, and what the host's settings name in ``LEHIA_MODEL_HOSTS``.

An entry is a network (``10.1.0.0/16``), a private name (``gpu1``, ``gpu1.lan``) or a public name (``api.openai.com``):

* a network admits every address in it;
* a private name admits private addresses only, wherever its name server points it;
* a public name also admits global addresses, over ``https`` only, since a key travels with each request.

Link-local addresses and cloud metadata services are never admitted, in whatever form they are written. The host is resolved here, once, and
connections then go to the addresses that were checked and nowhere else: see :mod:`inference.pinning`.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit, urlunsplit

from inference import addresses
from inference.errors import EndpointNotAllowed, HostUnknown

Resolver = Callable[[str], Sequence[str]]
"""From a name to its addresses as text; raises ``OSError`` where there are none."""

_ADVICE = "use a loopback address, or name the host in LEHIA_MODEL_HOSTS"
_NEVER = f"link-local and special addresses are never allowed; {_ADVICE}"
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_PLACE = re.compile(r"(\[[^\[\]@]*\]|[^\[\]:@]+)(:[0-9]+)?")
_ENDS_IN_NUMBER = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)")
_METADATA_NAMES = frozenset(
    {
        *("metadata", "metadata.google.internal", "metadata.goog", "metadata.azure.internal"),
        *("instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com", "metadata.packet.net"),
    }
)
_PRIVATE_SUFFIXES = (
    *("local", "localdomain", "lan", "home", "home.arpa", "internal", "intranet", "private", "corp"),
    *("test", "svc", "cluster.local", "docker"),
)
# Services that a model server never is, and that might take a line of an HTTP request for a command.
_OTHER_PROTOCOLS = frozenset(
    {
        *(21, 22, 23, 25, 53, 110, 111, 143, 389, 445, 465, 587, 636, 873, 993, 995, 1433, 2049),
        *(2375, 2376, 2379, 3306, 3389, 5432, 6379, 11211, 27017),
    }
)


@dataclass(frozen=True, slots=True)
class CheckedUrl:
    """An address in its normal form, without a trailing slash, and where its host may be reached."""

    url: str
    addresses: tuple[str, ...] = field(repr=False)


def resolve(name: str) -> Sequence[str]:
    """The addresses of a name, from the system's resolver."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def check_endpoint_url(url: str, *, hosts: Iterable[str], resolver: Resolver = resolve) -> str:
    """The address in its normal form; see :func:`checked_url`."""
    return checked_url(url, hosts=hosts, resolver=resolver).url


def checked_url(url: str, *, hosts: Iterable[str], resolver: Resolver = resolve) -> CheckedUrl:
    """Check an address and resolve its host.

    Parameters
    ----------
    url
        ``http`` or ``https``, a host, optionally a port and a path.
    hosts
        What is admitted beyond loopback; see the module.
    resolver
        Asked once for a name, never for a literal address.

    Raises
    ------
    EndpointNotAllowed
        With a text that says what to do. A host that does not resolve is refused too.
    """
    parts, host, port = _parts(url)
    found = [addresses.parse(each) for each in _resolved(host, resolver)]
    _check(host, found, secure=parts.scheme == "https", allowed=tuple(each.strip().lower() for each in hosts))
    netloc = f"[{host}]" if ":" in host else host
    normal = urlunsplit(
        (parts.scheme, netloc if port is None else f"{netloc}:{port}", parts.path.rstrip("/"), "", "")
    )
    return CheckedUrl(normal, tuple(str(each) for each in found))


def _parts(url: str) -> tuple[SplitResult, str, int | None]:
    url = url.strip(" ")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise EndpointNotAllowed(
            "the address must be plain ASCII without blanks; write other letters as xn--"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EndpointNotAllowed("the host is malformed, or the port is no number from 1 to 65535") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise EndpointNotAllowed("the address must look like http://host:port/v1")
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise EndpointNotAllowed(
            "the address must hold no user, query or fragment; keys go into their own field"
        )
    if not _PLACE.fullmatch(parts.netloc):
        raise EndpointNotAllowed("the host must be a plain name or address, with a port or without")
    if port == 0 or port in _OTHER_PROTOCOLS:
        raise EndpointNotAllowed("this port belongs to another kind of service")
    if ".." in parts.path or "%" in parts.path or "//" in parts.path:
        raise EndpointNotAllowed("the path must be plain, such as /v1")
    return parts, _host(parts.hostname), port


def _host(text: str) -> str:
    """The host in lower case, as a canonical literal or a plain name."""
    host = text.removesuffix(".")
    if ":" in host:
        if "%" in host:
            raise EndpointNotAllowed(_NEVER)  # a zone: link-local by definition
        return str(addresses.unmapped(addresses.parse(host)))
    if _ENDS_IN_NUMBER.fullmatch(host):
        # 2130706433, 0x7f.1 and 0177.0.0.1 are loopback to some resolvers and names to others
        if addresses.is_dotted_quad(host):
            return host
        raise EndpointNotAllowed("an address in numbers must have four decimal parts, such as 127.0.0.1")
    if not _NAME.fullmatch(host):
        raise EndpointNotAllowed("the host must be a plain name or address")
    if host in _METADATA_NAMES:
        raise EndpointNotAllowed(_NEVER)
    return host


def _resolved(host: str, resolver: Resolver) -> Sequence[str]:
    if ":" in host or addresses.is_dotted_quad(host):
        return [host]
    if host == "localhost":
        return ["127.0.0.1"]
    try:
        found = resolver(host)
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise HostUnknown(f"this host does not resolve; {_ADVICE}")
    return found


def _check(host: str, found: Sequence[addresses.Address], *, secure: bool, allowed: tuple[str, ...]) -> None:
    networks = [network for each in allowed if (network := addresses.network(each)) is not None]
    named = host in allowed
    if any(addresses.is_never_allowed(each) for each in found):
        raise EndpointNotAllowed(_NEVER)
    outside = [
        each
        for each in found
        if not addresses.is_loopback(each)
        and not any(addresses.plain(each) in network for network in networks)
    ]
    if outside and not named:
        raise EndpointNotAllowed(f"this host is not on the allow-list; {_ADVICE}")
    if any(addresses.plain(each).is_global for each in outside):
        if is_private_name(host) or not all(addresses.plain(each).is_global for each in found):
            raise EndpointNotAllowed("this private name resolves to an address of the internet")
        if not secure:
            raise EndpointNotAllowed("a server on the internet must be asked over https")


def is_private_name(host: str) -> bool:
    """Whether a name cannot be one of the public name system: a single label, or under a suffix kept for private use."""
    return "." not in host or host.endswith(tuple(f".{each}" for each in _PRIVATE_SUFFIXES))
