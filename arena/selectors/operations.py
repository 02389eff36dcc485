"""Reads for the operators' page: cheap however many votes there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count, Model, QuerySet
from django.db.models.functions import ExtractHour, TruncDate
from django.utils import timezone

from arena.models import Battle, Campaign, Exclusion, Vote
from arena.selectors.campaigns import current_campaign
from arena.types import BattleSource

DAYS = 7


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the day, here; counts of today and of the day before."""

    hour: int
    battles: int
    battles_before: int
    votes: int
    votes_before: int


@dataclass(frozen=True, slots=True)
class Excluded:
    """A reason, and how often it was given on each of the last days, today last."""

    reason: str
    by_day: list[int]


def campaign_or_none() -> Campaign | None:
    try:
        return current_campaign()
    except Campaign.DoesNotExist:
        return None


def hours() -> list[Hour]:
    """Battles begun and votes cast by hour, as far as today goes. Two queries, which read two days of rows by their index."""
    battles = _by_hour(Battle.objects.filter(source=BattleSource.LIVE.value))
    votes = _by_hour(Vote.objects.all())
    today, before = _day(0), _day(1)
    return [
        Hour(
            hour,
            battles.get((today, hour), 0),
            battles.get((before, hour), 0),
            votes.get((today, hour), 0),
            votes.get((before, hour), 0),
        )
        for hour in range(24)
    ]


def votes_of(campaign: Campaign) -> int:
    """All there are. One query, over all of them: keep what it says."""
    return Vote.objects.filter(battle__campaign=campaign).count()


def excluded_days() -> list[date]:
    return [_day(ago) for ago in reversed(range(DAYS))]


def excluded() -> list[Excluded]:
    """Reasons given in the last days, lifted ones included. One query, by index."""
    rows = (
        Exclusion.objects.filter(created_at__gte=_since(DAYS - 1))
        .values_list("reason", TruncDate("created_at"))
        .annotate(n=Count("pk"))
        .order_by("reason")
    )
    found: dict[str, dict[date, int]] = {}
    for reason, day, number in rows:
        found.setdefault(reason, {})[day] = number
    days = excluded_days()
    return [Excluded(reason, [counts.get(day, 0) for day in days]) for reason, counts in found.items()]


def migrations() -> Mapping[str, str]:
    """The newest applied one of each app of ours. One query."""
    applied = MigrationRecorder(connection).applied_migrations()
    own = ((app, name) for app, name in applied if app in {"arena", "ranking", "inference"})
    return _newest(own)


def _newest(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    newest: dict[str, str] = {}
    for app, name in names:
        newest[app] = max(name, newest.get(app, ""))
    return dict(sorted(newest.items()))


def _by_hour(rows: QuerySet[Model]) -> dict[tuple[date, int], int]:
    counted = (
        rows.filter(created_at__gte=_since(1))
        .values_list(TruncDate("created_at"), ExtractHour("created_at"))
        .annotate(n=Count("pk"))
        .order_by()
    )
    return {(day, hour): number for day, hour, number in counted}


def _day(ago: int) -> date:
    return timezone.localdate() - timedelta(days=ago)


def _since(days_ago: int) -> datetime:
    """The beginning of a day, here."""
    return timezone.make_aware(datetime.combine(_day(days_ago), time.min))
