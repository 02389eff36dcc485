"""Work with the database beside the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.db import connection

from inference.database import MOST_THREADS, in_thread

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 30


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


async def test_as_many_calls_as_threads_are_under_way_at_once() -> None:
    together = threading.Barrier(MOST_THREADS)

    def meet() -> int:
        own = backend()
        together.wait(WAIT_S)
        return own

    backends = await asyncio.gather(*(in_thread(meet)() for _ in range(MOST_THREADS)))
    assert len(set(backends)) == MOST_THREADS


async def test_a_connection_is_used_again_by_whoever_comes_next() -> None:
    pids = {await in_thread(backend)() for _ in range(5 * MOST_THREADS)}
    assert len(pids) <= MOST_THREADS + 1


async def test_a_connection_that_the_server_closed_is_noticed_before_it_is_used() -> None:
    def end_all_others() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    before = await in_thread(backend)()
    await in_thread(end_all_others)()
    after = [await in_thread(backend)() for _ in range(3)]
    assert all(pid > 0 for pid in (before, *after))


async def test_arguments_results_and_errors_pass() -> None:
    def divide(a: int, *, by: int) -> float:
        return a / by

    assert await in_thread(divide)(3, by=2) == 1.5
    with pytest.raises(ZeroDivisionError):
        await in_thread(divide)(3, by=0)
