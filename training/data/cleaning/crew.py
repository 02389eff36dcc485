"""Work spread over processes that end with the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from typing import Any, Self, TypeVar

from training.errors import RunFailed

Task = TypeVar("Task")
Record = dict[str, Any]
Worker = Callable[[Any], Record]
_WAITING = 2  # tasks a process: one it works at, one it will find when it is done

_workers: dict[str, Worker] = {}


class Crew:
    """Processes, started when first needed; one process is this one.

    They are spawned and not forked: a fork copies the locks of numpy's and Arrow's threads, held or not.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def each(self, stage: str, make: Callable[[], Worker], tasks: Iterable[Task]) -> Iterator[Record]:
        """Records of tasks as they are done, in any order.

        Tasks are taken from the iterable as processes become free, so that few are held at a time.

        Parameters
        ----------
        stage
            Each process makes one worker for it.

        Raises
        ------
        RunFailed
            If a process ends without an answer, as where memory runs out.
        """
        if self._processes == 1:
            yield from map(make(), tasks)
            return
        going: set[Future[Record]] = set()
        try:
            for task in tasks:
                going.add(self._started().submit(_do, stage, make, task))
                if len(going) >= _WAITING * self._processes:
                    done, going = wait(going, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in done)
            for each in list(going):
                yield each.result()
        except BrokenProcessPool as error:
            raise RunFailed(
                f"a process of stage {stage} ended; the same command goes on from there"
            ) from error

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._processes, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
            )
        return self._pool


def _begin() -> None:
    """A process whose parent was killed ends, rather than wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)


def _do(stage: str, make: Callable[[], Worker], task: object) -> Record:
    if stage not in _workers:
        _workers[stage] = make()
    return _workers[stage](task)
