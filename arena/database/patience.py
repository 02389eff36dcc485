"""Changes of tables beside a site that goes on: whoever waits for a lock holds up all who come after, so nobody waits long."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import OperationalError, connection
from psycopg import errors, sql

logger = logging.getLogger(__name__)

_ONE_AT_A_TIME = 0x6C65686961  # the key of an advisory lock
_LONGEST_PAUSE_S = 5.0
_AGAIN = (errors.LockNotAvailable, errors.DeadlockDetected)
_HALF_MADE = "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid"


class GivenUp(Exception):
    """A lock was not free, or a statement took too long. What the transaction did is undone."""


@dataclass(frozen=True, slots=True)
class Patience:
    lock_s: float
    """How long a statement waits for a lock, and others behind it."""
    statement_s: float
    """How long a statement takes at most."""
    attempts: int


def patiently(change: Callable[[], None], patience: Patience) -> None:
    """Call *change* until it finds its locks free, alone of all who call this on the database. Raises :class:`GivenUp`.

    It must be something that goes on where it was interrupted. Indexes that it left half made are dropped first.
    """
    for attempt in range(1, patience.attempts + 1):
        try:
            with _limits(patience):
                _drop_half_made()
                change()
        except OperationalError as error:
            if isinstance(error.__cause__, errors.QueryCanceled):
                raise GivenUp(f"a statement took longer than {patience.statement_s:g} s") from error
            if not isinstance(error.__cause__, _AGAIN):
                raise
            logger.warning("attempt %d of %d: a lock was not free", attempt, patience.attempts)
            if attempt == patience.attempts:
                raise GivenUp(
                    f"a lock was not free in {attempt} attempts of {patience.lock_s:g} s"
                ) from error
        else:
            return
        # longer each time and never the same, so that what holds the locks gets through
        time.sleep(min(_LONGEST_PAUSE_S, patience.lock_s * attempt) * random.uniform(0.5, 1))  # noqa: S311  # chance, not a secret


@contextmanager
def _limits(patience: Patience) -> Iterator[None]:
    limits = {"lock_timeout": patience.lock_s, "statement_timeout": patience.statement_s}
    with connection.cursor() as cursor:
        for name, seconds in limits.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, f"{round(seconds * 1000)}ms"])
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])
            for name in limits:
                cursor.execute(sql.SQL("RESET {}").format(sql.Identifier(name)))


def _drop_half_made() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_HALF_MADE)
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(name)))
