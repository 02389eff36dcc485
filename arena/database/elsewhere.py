"""Other databases of the same server, for what is restored beside the one that is in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.conninfo import make_conninfo

from arena.database.base import DatabaseWrapper

_MAINTENANCE = "postgres"
_NOT_LIBPQS = {"pool", "server_side_binding", "prepare_threshold"}


def address(name: str = "") -> dict[str, str]:
    """libpq's words for the database, or for another one of its server."""
    told = _own().settings_dict
    words = {
        "host": told["HOST"],
        "port": told["PORT"],
        "user": told["USER"],
        "password": told["PASSWORD"],
        "dbname": name or told["NAME"],
    }
    options = {key: str(value) for key, value in told["OPTIONS"].items() if key not in _NOT_LIBPQS}
    return {key: str(value) for key, value in words.items() if value} | options


@contextmanager
def database(name: str) -> Iterator[None]:
    """What this process asks of the database inside goes to another one. For commands alone: all threads are led there."""
    usual = str(_own().settings_dict["NAME"])
    lead_to(name)
    try:
        yield
    finally:
        lead_to(usual)


def lead_to(name: str) -> None:
    own = _own()
    own.close()
    own.close_pool()
    own.settings_dict["NAME"] = name


def _own() -> DatabaseWrapper:
    return cast(DatabaseWrapper, connections[DEFAULT_DB_ALIAS])


@contextmanager
def server() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection beside the databases that are made and renamed; each statement stands for itself."""
    with connect(_MAINTENANCE, autocommit=True) as found:
        yield found


def connect(name: str = "", *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of its own to the database, or to another one of its server."""
    return psycopg.connect(make_conninfo(**address(name)), autocommit=autocommit)
