"""Settings that a site on the internet must not start with."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from arena.env import SettingError

LEAST_KEY = 50
"""Characters of a secret key, as Django's own check asks for."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """What decides whether strangers can reach the site, and how it is guarded."""

    https: bool
    debug: bool
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    staff_mfa: bool
    secret_key: str


def refuse_unsafe(site: Exposure) -> None:
    """Raises :class:`SettingError`, which says all that is wrong and what to do."""
    found = list(_served_safely(site) if site.https else _served_plainly(site))
    if found:
        raise SettingError("; ".join(found))


def _served_safely(site: Exposure) -> Iterator[str]:
    if site.debug:
        yield "LEHIA_DEBUG=1 shows strangers the program's inside: leave it out with LEHIA_HTTPS=1"
    if not site.staff_mfa:
        yield "LEHIA_STAFF_MFA=0 leaves the admin to whoever knows a password: leave it out with LEHIA_HTTPS=1"
    if any(host.startswith(("*", ".")) for host in site.hosts):
        yield "LEHIA_HOSTS must name each host: with * a stranger's name could stand in links of e-mails"
    if plain := [origin for origin in site.origins if not origin.startswith("https://")]:
        yield f"LEHIA_ORIGINS must begin with https://, not {', '.join(plain)}"
    if len(site.secret_key) < LEAST_KEY:
        yield (
            f"LEHIA_SECRET_KEY must have {LEAST_KEY} characters at least; a key made by an older version is in the data folder under "
            "secrets/secret_key: delete it, and everybody logs in again"
        )


def _served_plainly(site: Exposure) -> Iterator[str]:
    if public := list(_public(site.hosts)):
        yield f"LEHIA_HTTPS=0 would send passwords and cookies of {', '.join(public)} in the clear: set LEHIA_HTTPS=1 behind a proxy with TLS"


def _public(hosts: Iterable[str]) -> Iterator[str]:
    """Those that are neither this machine nor of a private network, by their name alone."""
    for host in hosts:
        try:
            inside = not ipaddress.ip_address(host.strip("[]")).is_global
        except ValueError:
            inside = "." not in host.removesuffix(".localhost") and not host.startswith("*")
        if not inside:
            yield host
