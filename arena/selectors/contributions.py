"""What volunteers gave to a campaign, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Count
from django.db.models.functions import TruncDate

from arena.models import Campaign, Vote

MOST_DAYS = 30


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
