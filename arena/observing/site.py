"""Figures that are one for the whole site, read when Prometheus asks: any process tells the same, so that dashboards take the greatest."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from arena.celery import app
from arena.models import Exclusion, Turn
from arena.observing import notes
from arena.observing.jobs import short
from inference.health.whole import answering_candidates
from inference.models import ModelEndpoint

KEPT_S = 30.0
"""How old figures may be that take a while to count."""
QUEUE = str(app.conf.task_default_queue)
_OVERDUE = timedelta(seconds=60)
_DAY_S = 86400.0
_Value = TypeVar("_Value")
_lock = threading.Lock()
_kept: dict[str, tuple[float, object]] = {}


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


class SiteCollector(Collector):
    """A part that cannot be read is left out, and the figure ``lehia_database_up`` or ``lehia_valkey_up`` says so."""

    def collect(self) -> Iterable[Metric]:
        yield from self._asked("database", "Whether PostgreSQL answers.", of_database, DatabaseError)
        yield from self._asked("valkey", "Whether Valkey answers.", of_jobs, redis.RedisError)
        yield from of_disks()

    def _asked(
        self, what: str, says: str, ask: Callable[[], list[Metric]], away: type[Exception]
    ) -> Iterable[Metric]:
        up = GaugeMetricFamily(f"lehia_{what}_up", says)
        try:
            found = ask()
        except away:
            found = []
        up.add_metric([], 1 if found else 0)
        return [up, *found]


def of_database() -> list[Metric]:
    """Seven queries, most of them once in half a minute. Raises :class:`django.db.DatabaseError`."""
    overdue = Turn.objects.filter(lease_until__lt=timezone.now() - _OVERDUE).count()
    return [
        GaugeMetricFamily("lehia_turns_overdue", "Turns whose process is gone, for a minute.", value=overdue),
        GaugeMetricFamily(
            "lehia_candidates_answering", "Candidates that can be drawn now.", value=answering_candidates()
        ),
        *kept("database", _slowly),
    ]


def _slowly() -> list[Metric]:
    endpoints = GaugeMetricFamily("lehia_endpoints", "Endpoints.", labels=["status", "health"])
    kinds = ModelEndpoint.objects.values_list("status", "health").annotate(n=Count("pk")).order_by()
    for status, health, number in kinds:
        endpoints.add_metric([status, health], number)
    exclusions = GaugeMetricFamily("lehia_exclusions", "Standing exclusions of votes.", labels=["reason"])
    for reason, number in exclusions_by_reason():
        exclusions.add_metric([reason], number)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), "
            "current_setting('max_connections')::int"
        )
        size, used, most = cursor.fetchone()
    return [
        endpoints,
        exclusions,
        GaugeMetricFamily("lehia_db_size_bytes", "The database on its disk.", value=size),
        GaugeMetricFamily("lehia_db_server_connections", "Connections the server has.", value=used),
        GaugeMetricFamily("lehia_db_server_connections_limit", "As many as it takes.", value=most),
    ]


def exclusions_by_reason() -> list[tuple[str, int]]:
    """Standing ones. One query."""
    rows = Exclusion.objects.filter(lifted_at=None).values_list("reason").annotate(n=Count("pk"))
    return list(rows.order_by("reason"))


def of_jobs() -> list[Metric]:
    """Raises :class:`redis.RedisError`."""
    queues = {QUEUE: notes.queue(QUEUE)}
    length = GaugeMetricFamily("lehia_job_queue_length", "Tasks that wait for a worker.", labels=["queue"])
    oldest = GaugeMetricFamily("lehia_job_oldest_seconds", "How long the oldest waits.", labels=["queue"])
    for name, queue in queues.items():
        length.add_metric([name], queue.length)
        oldest.add_metric([name], time.time() - queue.oldest_sent_at if queue.oldest_sent_at else 0)
    return [length, oldest, *_of_tasks()]


def _of_tasks() -> list[Metric]:
    planned = planned_tasks()
    interval = GaugeMetricFamily(
        "lehia_task_interval_seconds", "How often beat asks for it.", labels=["task"]
    )
    late = GaugeMetricFamily(
        "lehia_task_last_success_timestamp_seconds",
        "When it last succeeded; where it never did, since when that is known.",
        labels=["task"],
    )
    runs = CounterMetricFamily("lehia_task_runs", "Tasks that ended.", labels=["task"])
    failures = CounterMetricFamily("lehia_task_failures", "Tasks that failed.", labels=["task"])
    for name, every_s in planned.items():
        interval.add_metric([name], every_s)
    for name, noted in notes.tasks(planned).items():
        late.add_metric([name], noted.since)
        runs.add_metric([name], noted.runs)
        failures.add_metric([name], noted.failures)
    return [interval, late, runs, failures]


def planned_tasks() -> dict[str, float]:
    """What beat asks for, and how often, in seconds."""
    plan: Iterable[dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE.values()
    return {
        short(each["task"]): each["schedule"] if isinstance(each["schedule"], float) else _DAY_S
        for each in plan
    }


def of_disks() -> list[Metric]:
    free = GaugeMetricFamily("lehia_disk_free_bytes", "Free for the site.", labels=["folder"])
    size = GaugeMetricFamily("lehia_disk_size_bytes", "Of the disk.", labels=["folder"])
    for name, usage in disks().items():
        free.add_metric([name], usage.free)
        size.add_metric([name], usage.total)
    backup = newest_backup() or 0
    return [
        free,
        size,
        GaugeMetricFamily("lehia_backup_timestamp_seconds", "The newest backup; 0 for none.", value=backup),
    ]


def disks() -> dict[str, DiskUsage]:
    """Of the folders that the site writes to, as far as they are there."""
    known = {
        "data": settings.LEHIA_DATA,
        "backups": settings.LEHIA_BACKUPS,
        "exports": settings.LEHIA_EXPORTS,
        "releases": settings.LEHIA_RELEASES,
    }
    return {name: DiskUsage(*shutil.disk_usage(path)) for name, path in known.items() if path.is_dir()}


def newest_backup() -> float | None:
    """When the newest whole backup was made: each is a folder whose manifest is written last."""
    return max(
        (path.stat().st_mtime for path in settings.LEHIA_BACKUPS.glob("*/manifest.json")), default=None
    )


def kept(name: str, ask: Callable[[], _Value]) -> _Value:
    """What *ask* said at most half a minute ago, in this process."""
    with _lock:
        found = _kept.get(name)
        if found is None or time.monotonic() - found[0] > KEPT_S:
            found = _kept[name] = (time.monotonic(), ask())
    return found[1]  # type: ignore[return-value]  # one name, one type
