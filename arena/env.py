"""Typed readers of environment variables: a wrong value stops the start and names its variable."""

from __future__ import annotations

import ipaddress
import os
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class SettingError(ValueError):
    """An environment variable holds a value that cannot be used; the message names it."""


def _raw(name: str) -> str | None:
    """The variable's value, or what stands in the file that ``NAME_FILE`` names: so secrets are in no environment, which tools show."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name)
    if name in os.environ:
        raise SettingError(f"{name} and {name}_FILE are both set; keep one")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        # the error itself could quote the secret
        raise SettingError(f"{name}_FILE={file} cannot be read: {type(error).__name__}") from None


def text(name: str, default: str = "") -> str:
    raw = _raw(name)
    return default if raw is None else raw


def flag(name: str, *, default: bool) -> bool:
    raw = _raw(name)
    if raw is None:
        return default
    if raw.strip().lower() in _TRUE:
        return True
    if raw.strip().lower() in _FALSE:
        return False
    raise SettingError(f"{name}={raw!r} is not a yes or no; use 1 or 0")


def integer(name: str, default: int, *, least: int = 0) -> int:
    raw = _raw(name)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise SettingError(f"{name}={raw!r} is not a whole number") from None
    if value < least:
        raise SettingError(f"{name}={value} is less than {least}")
    return value


def one_of(name: str, options: tuple[str, ...]) -> str:
    """One of *options*, the first where the variable is unset."""
    value = os.environ.get(name, options[0])
    if value not in options:
        raise SettingError(f"{name}={value!r} is none of {', '.join(options)}")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A comma-separated list; empty items are left out."""
    raw = _raw(name)
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
    raw = _raw(name)
    return Path(raw).expanduser().resolve() if raw else default


def clock_time(name: str) -> time | None:
    """A time of the day such as ``03:30``, or ``None`` where the variable is unset or empty."""
    raw = _raw(name)
    if not raw:
        return None
    try:
        return time.fromisoformat(raw)
    except ValueError:
        raise SettingError(f"{name}={raw!r} is not a time of the day; use one such as 03:30") from None


def postgres(name: str) -> dict[str, Any] | None:
    """Django's ``DATABASES`` entry from a ``postgresql://`` address, or ``None`` where the variable is unset.

    A ``host`` in the query is a folder with a Unix socket, as in libpq.
    """
    raw = _raw(name)
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


_MAIL_SCHEMES = {"smtp", "smtps", "file", "console"}


def email(name: str) -> dict[str, object] | None:
    """Django's e-mail settings from an address, or ``None`` where the variable is unset.

    ``smtp://user:password@host:port/?tls=1`` (STARTTLS, port 587 unless given; ``tls=0`` sends in the clear, port 25), ``smtps://`` (TLS from the start,
    port 465), ``?timeout=SECONDS`` for both, ``file:///folder``, ``console:``.
    """
    raw = _raw(name)
    if not raw:
        return None
    parts = urlsplit(raw)
    if parts.scheme not in _MAIL_SCHEMES:
        raise SettingError(f"{name} must start with one of {', '.join(sorted(_MAIL_SCHEMES))}")
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file":
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    return _smtp(name, parts)


def _smtp(name: str, parts: SplitResult) -> dict[str, object]:
    if not parts.hostname:
        raise SettingError(f"{name} names no host: smtp://user:password@HOST:587/?tls=1")
    query = dict(parse_qsl(parts.query))
    unknown = sorted(query.keys() - {"tls", "timeout"})
    if unknown:
        raise SettingError(f"{name} has an option that is not known: {', '.join(unknown)}")
    tls = query.get("tls", "1").lower()
    timeout = query.get("timeout", "10")
    if tls not in _TRUE | _FALSE or not timeout.isdigit():
        raise SettingError(f"{name}: tls is 1 or 0, timeout a whole number of seconds")
    from_the_start = parts.scheme == "smtps"
    starttls = not from_the_start and tls in _TRUE
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if from_the_start else 587 if starttls else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": from_the_start,
        "EMAIL_USE_TLS": starttls,
        "EMAIL_TIMEOUT": int(timeout),
    }


_OFTEN = 5  # psycopg's own measure


def pooled(database: dict[str, Any], *, at_most: int, silent_s: int, prepares: bool) -> dict[str, Any]:
    """The entry with a pool of connections a process: under ASGI threads come and go, and must not keep connections of their own.

    A connection that the server has closed meanwhile is noticed when it is taken (``arena.database``); whoever finds all in use waits ten
    seconds for one. While the server is away whoever asks has it tried again, for two seconds: tries that go on by themselves pause twice as
    long after each, and outlast an outage by as much as it took. A transaction in which nothing is said for *silent_s* is ended by the server,
    with its locks; 0 waits for ever. Where the process *prepares*, PostgreSQL keeps a connection's statements from the fifth time on, and need not read and
    plan them again: a vote costs two thirds.
    """
    pool = {"min_size": 0, "max_size": at_most, "timeout": 10, "reconnect_timeout": 2}
    options = dict(database["OPTIONS"])
    if silent_s:
        told = f"{options.get('options', '')} -c idle_in_transaction_session_timeout={silent_s}s"
        options["options"] = told.strip()
    return database | {
        "ENGINE": "arena.database",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options
        | {"pool": pool, "server_side_binding": prepares, "prepare_threshold": _OFTEN if prepares else None},
    }
