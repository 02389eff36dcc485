"""Typed readers of environment variables: a wrong value stops the start and names its variable."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class SettingError(ValueError):
    """An environment variable holds a value that cannot be used; the message names it."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def flag(name: str, *, default: bool) -> bool:
    raw = os.environ.get(name)
    if raw is None:
        return default
    if raw.strip().lower() in _TRUE:
        return True
    if raw.strip().lower() in _FALSE:
        return False
    raise SettingError(f"{name}={raw!r} is not a yes or no; use 1 or 0")


def integer(name: str, default: int, *, least: int = 0) -> int:
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise SettingError(f"{name}={raw!r} is not a whole number") from None
    if value < least:
        raise SettingError(f"{name}={value} is less than {least}")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A comma-separated list; empty items are left out."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    return tuple(item.strip() for item in raw.split(",") if item.strip())


def networks(name: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """A comma-separated list of networks such as ``10.1.0.0/16``; an address alone is a network of one."""
    found = []
    for word in words(name):
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError as error:
            raise SettingError(f"{name}: {error}") from None
    return tuple(found)


def folder(name: str, default: Path) -> Path:
    raw = os.environ.get(name)
    return Path(raw).expanduser().resolve() if raw else default


def postgres(name: str) -> dict[str, Any] | None:
    """Django's ``DATABASES`` entry from a ``postgresql://`` address, or ``None`` where the variable is unset.

    A ``host`` in the query is a folder with a Unix socket, as in libpq.
    """
    raw = os.environ.get(name)
    if not raw:
        return None
    parts = urlsplit(raw)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise SettingError(f"{name} must start with postgresql:// (no other database is supported)")
    database = parts.path.removeprefix("/")
    if not database:
        raise SettingError(f"{name} names no database: postgresql://user@host/NAME")
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(database),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": query,
    }


def pooled(database: dict[str, Any], *, at_most: int) -> dict[str, Any]:
    """The entry with a pool of connections a process: under ASGI threads come and go, and must not keep connections of their own.

    A connection that the server has closed meanwhile is noticed when it is taken; whoever finds all in use waits ten seconds for one.
    """
    pool = {"min_size": 0, "max_size": at_most, "timeout": 10}
    return database | {
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": database["OPTIONS"] | {"pool": pool},
    }
