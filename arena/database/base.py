"""The name under which Django looks for a backend's wrapper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout

from arena.observing import metrics


class Pool(ConnectionPool[Connection[Any]]):
    """After each dead connection that it meets, psycopg's pool waits twice as long as before it tries the next one.

    After a restart of the server all are dead, and whoever came first with four of them in the pool was refused.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(check=self._look, **options)
        metrics.connections(limit=self.max_size)

    def getconn(self, timeout: float | None = None) -> Connection[Any]:
        try:
            with metrics.waiting_for_a_connection():
                taken = super().getconn(timeout)
        except PoolTimeout:
            metrics.connection_refused()
            raise
        metrics.connection_taken(1)
        return taken

    def putconn(self, conn: Connection[Any]) -> None:
        super().putconn(conn)
        metrics.connection_taken(-1)

    def _look(self, taken: Connection[Any]) -> None:
        try:
            self.check_connection(taken)
        except Exception:  # whatever the check stumbles over, this connection is not to be used
            self.check()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    # Django's, not in its stubs.
    _connection_pools: ClassVar[dict[str, ConnectionPool]]
    _configure_connection: Callable[[Connection[Any]], None]
    close_pool: Callable[[], None]

    @property
    def pool(self) -> Any:
        options = self.settings_dict["OPTIONS"].get("pool")
        if options and self.alias not in {NO_DB_ALIAS, *self._connection_pools}:
            own = Pool(
                kwargs=self.get_connection_params() | {"autocommit": True},  # Django begins transactions
                configure=self._configure_connection,
                open=False,
                **options,
            )
            self._connection_pools.setdefault(self.alias, own)  # of two threads the first one's stays
        return super().pool
