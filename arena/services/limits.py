"""How often somebody may ask, counted in the database: for all processes of the site together, and past their restarts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac

from arena.addresses import household
from arena.models import RateWindow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
KEPT = timedelta(hours=2)
"""Longer than any window lasts."""
MOST_SHUT = 10_000


class Doing(StrEnum):
    """What is counted, each with limits of its own."""

    MESSAGE = "message"
    FRAME = "frame"
    GUEST = "guest"
    VOTE = "vote"
    FEEDBACK = "feedback"
    REPORT = "report"
    LOGIN = "login"
    EXPORT = "export"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Limit:
    """*per_address* is generous: schools, and telephones of a whole town, come from one."""

    per_person: int
    per_address: int
    window: timedelta = MINUTE


LIMITS: Mapping[Doing, Limit] = {
    Doing.MESSAGE: Limit(20, 300),
    Doing.FRAME: Limit(60, 1200),
    Doing.GUEST: Limit(1, 300, HOUR),
    Doing.VOTE: Limit(30, 600),
    Doing.FEEDBACK: Limit(30, 600),
    Doing.REPORT: Limit(10, 100, HOUR),
    Doing.LOGIN: Limit(60, 300, timedelta(minutes=10)),
    Doing.EXPORT: Limit(20, 200, HOUR),
    Doing.WRITE: Limit(60, 1200),
}

_COUNT = """
INSERT INTO arena_ratewindow (key, minute, requests)
SELECT key, %s, 1 FROM unnest(%s::text[]) AS key ORDER BY key
ON CONFLICT (key, minute) DO UPDATE SET requests = arena_ratewindow.requests + 1
RETURNING key, requests
"""
_shut: dict[str, datetime] = {}
"""Until when a key is refused: whoever floods is refused from memory. Of this process alone; the others learn it at the next request."""


def wait_for(doing: Doing, *, person: UUID | str | None, address: str) -> int | None:
    """Count one more of it; ``None`` while person and address have some left, else the seconds until they have again. One query at most."""
    limit = LIMITS[doing]
    most = {f"{doing} address {household(address)}": limit.per_address}
    if person is not None:
        most[f"{doing} person {person}"] = limit.per_person
    scale = settings.LEHIA_LIMITS_SCALE
    return _counted({who: each * scale for who, each in most.items()}, limit.window)


def seconds_to_wait(who: str, *, most: int, window: timedelta = MINUTE) -> int | None:
    """Count one request of *who*; ``None`` while there were at most *most* in this window, else how long until the next one begins. One query at most.

    Windows are the clock's, so that twice *most* fit around the turn of one. *who* is stored as a keyed hash.
    """
    return _counted({who: most}, window)


def count(*whos: str, window: timedelta) -> list[int]:
    """Count one of each; how many there were of each in this window. One query."""
    keys = [_key(who) for who in whos]
    found = _add(keys, _begin(timezone.now(), window))
    return [found[key] for key in keys]


def counted(*whos: str, window: timedelta) -> list[int]:
    """How many there were of each in this window or the one before, whichever is more. One query."""
    begin = _begin(timezone.now(), window)
    keys = [_key(who) for who in whos]
    rows = RateWindow.objects.filter(key__in=keys, minute__in=[begin, begin - window])
    most = dict.fromkeys(keys, 0)
    for key, requests in rows.values_list("key", "requests"):
        most[key] = max(most[key], requests)
    return [most[key] for key in keys]


def is_shut(doing: Doing, address: str) -> bool:
    """Whether this process knows, without asking, that the address has to wait."""
    return _until(_key(f"{doing} address {household(address)}"), timezone.now()) is not None


def forget_shut() -> None:
    _shut.clear()


def prune() -> int:
    """Delete what is over. Returns how many rows."""
    gone, _ = RateWindow.objects.filter(minute__lt=timezone.now() - KEPT).delete()
    return gone


def _counted(most: Mapping[str, int], window: timedelta) -> int | None:
    now = timezone.now()
    keys = {_key(who): limit for who, limit in most.items()}
    if known := [until for key in keys if (until := _until(key, now))]:
        return _seconds(max(known) - now)
    begin = _begin(now, window)
    found = _add(list(keys), begin)
    beyond = [key for key, limit in keys.items() if found[key] > limit]
    _shut_until(beyond, begin + window)
    return _seconds(begin + window - now) if beyond else None


def _add(keys: list[str], begin: datetime) -> dict[str, int]:
    """In the keys' order, so that no two processes wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [begin, keys])
        return dict(cursor.fetchall())


def _shut_until(keys: list[str], moment: datetime) -> None:
    for key in keys:
        _shut[key] = moment
    for old in list(_oldest(len(_shut) - MOST_SHUT)):
        del _shut[old]


def _oldest(n: int) -> Iterator[str]:
    yield from (key for key, _ in zip(_shut, range(n), strict=False))


def _until(key: str, now: datetime) -> datetime | None:
    until = _shut.get(key)
    if until is None or until > now:
        return until
    _shut.pop(key, None)
    return None


def _key(who: str) -> str:
    return salted_hmac("arena.limits", who, algorithm="sha256").hexdigest()


def _begin(now: datetime, window: timedelta) -> datetime:
    length = int(window.total_seconds())
    at = int(now.timestamp())
    return datetime.fromtimestamp(at - at % length, tz=now.tzinfo)


def _seconds(left: timedelta) -> int:
    return max(1, ceil(left.total_seconds()))
