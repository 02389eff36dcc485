"""What processes note in Valkey for whoever asks any of them: how tasks went, and what failed lately. Ids, kinds and times, never a text.

It may be lost at any time: counts then begin at nought again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import msgspec
import redis
from django.conf import settings

MOST_ERRORS = 200
JOBS, ERRORS = "lehia:jobs", "lehia:errors"


class Failure(msgspec.Struct, frozen=True):
    """An error that a process logged."""

    at: float
    kind: str
    """The error's type, or the logger's name where there was none."""
    place: str
    """The page or the task; else the logger."""
    request_id: str = ""
    battle: str = ""


@dataclass(frozen=True, slots=True)
class TaskNotes:
    succeeded_at: float | None = None
    first_missed_at: float | None = None
    """When a success was first looked for in vain."""
    runs: int = 0
    failures: int = 0

    @property
    def since(self) -> float:
        """When it last succeeded; where it never did, since when that is known."""
        known = self.succeeded_at if self.succeeded_at is not None else self.first_missed_at
        return 0.0 if known is None else known


@dataclass(frozen=True, slots=True)
class Queue:
    length: int
    oldest_sent_at: float | None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Failure).decode


class _Headers(msgspec.Struct):
    sent_at: float | None = None


class _Message(msgspec.Struct):
    headers: _Headers


_decode_message = msgspec.json.Decoder(_Message).decode


def client() -> redis.Redis:
    return _client(settings.REDIS_URL)


@cache
def _client(url: str) -> redis.Redis:
    """Its pool is its own: a client that closes its pool as the interpreter ends waits for ever for a lock that a thread held which is gone by then."""
    pool = redis.ConnectionPool.from_url(url, socket_connect_timeout=1, socket_timeout=1)
    return redis.Redis(connection_pool=pool)


def note_task(task: str, *, succeeded: bool) -> None:
    """A task ended. Raises :class:`redis.RedisError`."""
    with client().pipeline(transaction=False) as pipe:
        pipe.hincrby(JOBS, f"{task}:runs", 1)
        if succeeded:
            pipe.hset(JOBS, f"{task}:succeeded_at", str(time.time()))
            pipe.hdel(JOBS, f"{task}:first_missed_at")
        else:
            pipe.hincrby(JOBS, f"{task}:failures", 1)
        pipe.execute()


def tasks(expected: Iterable[str]) -> dict[str, TaskNotes]:
    """By name, those that ran and those *expected*. Raises :class:`redis.RedisError`."""
    raw: Mapping[bytes, bytes] = client().hgetall(JOBS)  # type: ignore[assignment]  # the synchronous client's
    noted = {key.decode(): value.decode() for key, value in raw.items()}
    names = {key.rpartition(":")[0] for key in noted} | set(expected)
    for name in names:
        if f"{name}:succeeded_at" not in noted and f"{name}:first_missed_at" not in noted:
            noted[f"{name}:first_missed_at"] = str(time.time())
            client().hsetnx(JOBS, f"{name}:first_missed_at", noted[f"{name}:first_missed_at"])
    return {name: _notes_of(name, noted) for name in sorted(names)}


def queue(name: str) -> Queue:
    """What waits for a worker. Raises :class:`redis.RedisError`."""
    with client().pipeline(transaction=False) as pipe:
        pipe.llen(name)
        pipe.lindex(name, -1)
        length, oldest = pipe.execute()
    return Queue(length, _decode_message(oldest).headers.sent_at if oldest else None)


def note_failures(failures: Iterable[Failure]) -> None:
    """Keep the newest. Raises :class:`redis.RedisError`."""
    with client().pipeline(transaction=False) as pipe:
        pipe.lpush(ERRORS, *map(_encode, failures))
        pipe.ltrim(ERRORS, 0, MOST_ERRORS - 1)
        pipe.execute()


def failures() -> list[Failure]:
    """The newest first. Raises :class:`redis.RedisError`."""
    kept: list[bytes] = client().lrange(ERRORS, 0, -1)  # type: ignore[assignment]  # the synchronous client's
    return [_decode(each) for each in kept]


def _notes_of(name: str, noted: Mapping[str, str]) -> TaskNotes:
    def number(what: str) -> float | None:
        value = noted.get(f"{name}:{what}")
        return None if value is None else float(value)

    return TaskNotes(
        succeeded_at=number("succeeded_at"),
        first_missed_at=number("first_missed_at"),
        runs=int(number("runs") or 0),
        failures=int(number("failures") or 0),
    )
