"""Reads of campaigns: the current one and its pulse."""

from __future__ import annotations

from dataclasses import dataclass

from arena.days import midnight
from arena.models import Battle, Campaign, Vote
from inference.models import Candidate
from ranking.models import Board
from ranking.policies import DEFAULT_POLICY, SamplingPolicy, named_policy


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the start page says of a campaign. Three queries."""

    name: str
    votes: int
    participants: int
    battles_today: int


def current_campaign() -> Campaign:
    """The default campaign. Raises ``Campaign.DoesNotExist`` on a site that was never seeded."""
    return Campaign.objects.select_related("board").get(is_default=True)


def policy_of(board: Board) -> SamplingPolicy:
    """How the board's pairs are drawn; where no campaign fills it, how those of a new campaign would be."""
    name = Campaign.objects.filter(board=board).values_list("sampling_policy", flat=True).first()
    return named_policy(name or DEFAULT_POLICY)


def licences() -> list[Candidate]:
    """Every candidate with its licence and that of its answers, by name. One query."""
    return list(Candidate.objects.order_by("name", "code"))


def pulse(campaign: Campaign) -> Pulse:
    votes = Vote.objects.filter(battle__campaign=campaign)
    return Pulse(
        name=campaign.name,
        votes=votes.count(),
        participants=votes.values("participant").distinct().count(),
        battles_today=Battle.objects.filter(campaign=campaign, created_at__gte=midnight()).count(),
    )
