"""Counts warnings and errors, and notes errors where the operators' page finds them."""

from __future__ import annotations

import logging
import threading
from queue import Empty, SimpleQueue

import redis

from arena.observing import metrics, notes
from arena.observing.context import known
from arena.observing.notes import Failure

_MOST_AT_ONCE = 50


class Noted(logging.Handler):
    """A logging handler for WARNING and above. Whoever logs never waits: a thread of its own, begun with the first error, tells Valkey.

    While Valkey is away they are only counted.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._fresh: SimpleQueue[Failure] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        metrics.logged(record.levelname)
        if record.levelno < logging.ERROR or self._fresh.qsize() >= _MOST_AT_ONCE:
            return
        self._fresh.put(_failure(record))
        if self._thread is None or not self._thread.is_alive():  # also after a fork
            self._thread = threading.Thread(target=self._tell, name="failures", daemon=True)
            self._thread.start()

    def _tell(self) -> None:
        while True:
            fresh = [self._fresh.get()]
            try:
                while len(fresh) < _MOST_AT_ONCE:
                    fresh.append(self._fresh.get_nowait())
            except Empty:
                pass
            try:
                notes.note_failures(reversed(fresh))
            except redis.RedisError:
                continue  # a line about it would come back here


def _failure(record: logging.LogRecord) -> Failure:
    ids = known()
    kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else record.name
    place = getattr(record, "route", "") or ids.get("task", "") or record.name
    return Failure(
        record.created, kind, place, request_id=ids.get("request_id", ""), battle=ids.get("battle", "")
    )
