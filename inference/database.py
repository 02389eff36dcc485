"""Work with the database, done beside the event loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async

MOST_THREADS = 4
"""A process. More would only wait for each other: what they do is mostly Python."""

# Threads of its own: in the one thread that all other synchronous code shares, a message would wait for whatever page is being made.
_threads = ThreadPoolExecutor(max_workers=MOST_THREADS, thread_name_prefix="database")
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def in_thread(function: Callable[_Given, _Result]) -> Callable[_Given, Coroutine[Any, Any, _Result]]:
    """*function*, to be awaited: called where the database may be used, its connection given back to the pool afterwards."""
    return database_sync_to_async(function, thread_sensitive=False, executor=_threads)
