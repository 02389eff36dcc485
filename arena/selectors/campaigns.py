"""Reads of campaigns: the current one, its pulse, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from math import ceil

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from arena.days import midnight
from arena.models import Battle, Campaign, CampaignText, Vote
from arena.types import BattleSource, CampaignPhase, CampaignStatus
from inference.models import Candidate
from ranking.models import Board
from ranking.policies import DEFAULT_POLICY, SamplingPolicy, named_policy

SOURCE = "eu"
DAY = timedelta(days=1)
_OPENED = [CampaignStatus.OPEN.value, CampaignStatus.PAUSED.value]


@dataclass(frozen=True, slots=True)
class Pulse:
    """What pages say of a campaign. Three queries."""

    name: str
    phase: CampaignPhase
    opens_at: datetime | None
    closes_at: datetime | None
    days_left: int | None
    goal: int | None
    votes: int
    participants: int
    battles_today: int


def current_campaign() -> Campaign:
    """The dated campaign whose time it is, running or paused, or else the default one, whatever its phase. One query.

    Raises ``Campaign.DoesNotExist`` on a site that was never seeded.
    """
    now = timezone.now()
    its_time = Q(status__in=_OPENED, opens_at__lte=now, closes_at__gt=now)
    either = Campaign.objects.select_related("board").filter(its_time | Q(is_default=True))
    found = either.order_by("is_default").first()
    if found is None:
        raise Campaign.DoesNotExist("the site was never seeded")
    return found


def announced() -> QuerySet[Campaign]:
    """All but those in preparation, the latest first."""
    return Campaign.objects.exclude(status=CampaignStatus.DRAFT.value).order_by(
        F("opens_at").desc(nulls_last=True), "pk"
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """A campaign in the list of all."""

    slug: str
    title: str
    phase: CampaignPhase
    opens_at: datetime | None
    closes_at: datetime | None


def listed(language: str) -> list[Listed]:
    """As :func:`announced`, with titles in this language, or else in Basque. Two queries."""
    now = timezone.now()
    texts = CampaignText.objects.filter(language__in=[language, SOURCE])
    said = {
        (campaign, spoken): title
        for campaign, spoken, title in texts.values_list("campaign", "language", "title")
    }
    return [
        Listed(
            slug=each.slug,
            title=said.get((each.pk, language)) or said.get((each.pk, SOURCE)) or each.name,
            phase=each.phase_at(now),
            opens_at=each.opens_at,
            closes_at=each.closes_at,
        )
        for each in announced()
    ]


@dataclass(frozen=True, slots=True)
class Texts:
    """What a campaign says in one language; where it says nothing, empty."""

    title: str = ""
    introduction: str = ""
    thanks: str = ""
    prizes: str = ""
    content_question: str = ""
    content_help: str = ""
    language_question: str = ""
    language_help: str = ""
    overall_question: str = ""


def texts_of(campaign: Campaign, language: str) -> Texts:
    """In this language, or else in Basque. One query."""
    said = {each.language: each for each in campaign.texts.filter(language__in=[language, SOURCE])}
    found = said.get(language) or said.get(SOURCE)
    if found is None:
        return Texts(title=campaign.name)
    return Texts(**{field.name: getattr(found, field.name) for field in fields(Texts)})


def campaign_of(board: Board) -> Campaign | None:
    """The campaign that fills the board, if one does."""
    return Campaign.objects.filter(board=board).first()


def policy_of(board: Board) -> SamplingPolicy:
    """How the board's pairs are drawn; where no campaign fills it, how those of a new campaign would be."""
    name = Campaign.objects.filter(board=board).values_list("sampling_policy", flat=True).first()
    return named_policy(name or DEFAULT_POLICY)


def licences() -> list[Candidate]:
    """Every candidate with its licence and that of its answers, by name. One query."""
    return list(Candidate.objects.order_by("name", "code"))


def pulse(campaign: Campaign) -> Pulse:
    now, votes = timezone.now(), Vote.objects.filter(battle__campaign=campaign)
    return Pulse(
        name=campaign.name,
        phase=campaign.phase_at(now),
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        days_left=ceil((campaign.closes_at - now) / DAY) if campaign.closes_at else None,
        goal=campaign.goal,
        votes=votes.count(),
        participants=votes.values("participant").distinct().count(),
        battles_today=Battle.objects.filter(
            campaign=campaign, source=BattleSource.LIVE.value, created_at__gte=midnight()
        ).count(),
    )
