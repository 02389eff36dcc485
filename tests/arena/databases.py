"""Databases beside the tests' own one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from arena.database import elsewhere


@contextmanager
def database(name: str, like: str = "template0") -> Iterator[None]:
    """A database of this server, led to inside; it and whatever was kept of it are gone afterwards."""
    elsewhere.lead_to(str(connection.settings_dict["NAME"]))  # leaves no connection behind
    with elsewhere.server() as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
    try:
        with elsewhere.database(name):
            yield
    finally:
        for each in databases(name):
            with elsewhere.server() as server:
                server.execute(f'DROP DATABASE "{each}" WITH (FORCE)')


def databases(name: str) -> list[str]:
    """Those whose names begin so."""
    with elsewhere.server() as server:
        found = server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY 1", [f"{name}%"]
        )
        return [each for (each,) in found]
