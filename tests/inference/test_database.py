"""Work with the database beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from django.db import connection
from psycopg_pool import PoolTimeout

from arena.database.base import DatabaseWrapper, Pool
from inference.database import MOST_THREADS, in_thread
from inference.models import Candidate

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 30
FAILED_TRIES = 5


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


@pytest.fixture
def emptied() -> Iterator[None]:
    """A pool of connections that no other test has filled."""
    cast(DatabaseWrapper, connection).close_pool()
    yield
    cast(DatabaseWrapper, connection).close_pool()


@pytest.mark.usefixtures("emptied")
async def test_a_connection_is_used_again_by_whoever_comes_next() -> None:
    pids = {await in_thread(backend)() for _ in range(5 * MOST_THREADS)}
    assert len(pids) <= MOST_THREADS + 1


@pytest.mark.usefixtures("emptied")
async def test_whoever_comes_first_after_the_server_ended_all_connections_is_served() -> None:
    """However many there were: each dead one that is met must not cost a wait of its own."""
    many = 12
    together = threading.Barrier(many)

    def meet() -> int:
        try:
            own = backend()
            together.wait(WAIT_S)
            return own
        finally:
            connection.close()

    def end_all_others() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    with ThreadPoolExecutor(many) as threads:
        before = {each.result() for each in [threads.submit(meet) for _ in range(many)]}
    assert len(before) == many
    await in_thread(end_all_others)()
    after = {await in_thread(backend)() for _ in range(3)}
    assert len(after & before) <= 1  # that of whoever ended the others


@pytest.mark.usefixtures("emptied")
def test_what_is_asked_often_is_prepared() -> None:
    def prepared() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%inference_candidate%'"
            )
            return int(cursor.fetchone()[0])

    for _ in range(5):
        Candidate.objects.filter(code="bat").exists()
    assert prepared() == 0
    for code in ("bi", "hiru"):
        Candidate.objects.filter(code=code).exists()
    assert prepared() == 1


async def test_arguments_results_and_errors_pass() -> None:
    def divide(a: int, *, by: int) -> float:
        return a / by

    assert await in_thread(divide)(3, by=2) == 1.5
    with pytest.raises(ZeroDivisionError):
        await in_thread(divide)(3, by=0)


def test_a_server_that_comes_back_is_found_at_once() -> None:
    """The pauses between tries do not grow with the outage."""
    settings = connection.settings_dict
    asked = 0

    def address() -> str:
        nonlocal asked
        asked += 1
        return "host=/nowhere" if asked <= FAILED_TRIES else f"host={settings['HOST']}"

    options = settings["OPTIONS"]["pool"] | {"timeout": 0.5}
    given = {"dbname": settings["NAME"], "user": settings["USER"], "autocommit": True}
    with Pool(conninfo=address, kwargs=given, open=True, **options) as pool:
        while asked < FAILED_TRIES:
            with pytest.raises(PoolTimeout):
                pool.getconn()
        pool.putconn(pool.getconn(timeout=3))
