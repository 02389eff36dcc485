"""What volunteers gave to a campaign: day by day, and by name where they wish so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import TruncDate

from arena.days import midnight
from arena.models import Campaign, Credit, Vote

MOST_DAYS = 30
MOST_CONTRIBUTORS = 50


@dataclass(frozen=True, slots=True)
class Day:
    """A day with votes, in the site's time zone."""

    day: date
    votes: int


def by_day(campaign: Campaign) -> list[Day]:
    """The last days with votes, the latest first; one more than :data:`MOST_DAYS` where there are more. One query."""
    rows = (
        Vote.objects.filter(battle__campaign=campaign)
        .annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(votes=Count("pk"))
        .order_by("-day")
    )
    return [Day(**row) for row in rows[: MOST_DAYS + 1]]


@dataclass(frozen=True, slots=True)
class Contributor:
    nickname: str
    credited: int


def contributors(campaign: Campaign) -> list[Contributor]:
    """Whoever chose a nickname, by credited votes of days that are over, so that no single vote shows; of equals, who got there first. One query."""
    rows = (
        Credit.objects.filter(campaign=campaign, vote__created_at__lt=midnight())
        .exclude(participant__nickname="")
        .values("participant", "participant__nickname")
        .annotate(credited=Sum("amount"), got_there=Max("vote__created_at", filter=Q(vote__credited=True)))
        .filter(credited__gt=0)
        .order_by("-credited", "got_there", "participant")
    )
    return [Contributor(row["participant__nickname"], row["credited"]) for row in rows[:MOST_CONTRIBUTORS]]
