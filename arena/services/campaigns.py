"""Campaigns: the one that opens with the site, and what staff decide of the others."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena import campaign_states
from arena.campaign_states import CampaignMove
from arena.errors import CampaignNotReady, IllegalMove
from arena.models import Campaign
from arena.selectors.campaigns import SOURCE
from arena.types import CampaignProblem, CampaignStatus
from ranking.models import Board
from ranking.types import BoardKind

logger = logging.getLogger(__name__)

DEFAULT_SLUG = "lehia"
DEFAULT_SYSTEM_PROMPT = "Euskaraz erantzuten duen laguntzaile erabilgarria zara. Gaur {date} da."
CONSENT_VERSION = "2026-12"
FEWEST_CANDIDATES = 2
_A_MOMENT = timedelta(microseconds=1)


def ensure_default_campaign() -> Campaign:
    """The default campaign and its live board, made once; what an admin changed stays."""
    with transaction.atomic():
        board, _ = Board.objects.get_or_create(
            slug=DEFAULT_SLUG, defaults={"name": "Lehia", "kind": BoardKind.LIVE.value}
        )
        campaign, _ = Campaign.objects.get_or_create(
            slug=DEFAULT_SLUG,
            defaults={
                "name": "Lehia",
                "board": board,
                "is_default": True,
                "status": CampaignStatus.OPEN.value,
                "system_prompt": DEFAULT_SYSTEM_PROMPT,
                "consent_version": CONSENT_VERSION,
                "counts_guests": True,  # whoever tries the site first is a guest, and their board moves
            },
        )
    return campaign


def open_campaign(*, campaign_id: UUID) -> Campaign:
    """Open a campaign, or let a paused one go on. It runs from its first date on.

    Locks all campaigns, so that no two are opened for the same moment. Raises :class:`CampaignNotReady` with all that is missing, ``IllegalMove``.
    """
    with transaction.atomic():
        others = list(Campaign.objects.select_for_update(of=("self",)).order_by("pk"))
        campaign = next(each for each in others if each.pk == campaign_id)
        status = campaign_states.after(CampaignStatus(campaign.status), CampaignMove.OPEN)
        if problems := _problems(campaign, [each for each in others if each.pk != campaign_id]):
            raise CampaignNotReady(problems)
        return _move(campaign, status)


def pause_campaign(*, campaign_id: UUID) -> Campaign:
    """No message is taken until it goes on; votes on answered battles are. Locks it. Raises ``IllegalMove``."""
    with transaction.atomic():
        campaign = _locked(campaign_id)
        return _move(campaign, campaign_states.after(CampaignStatus(campaign.status), CampaignMove.PAUSE))


def close_campaign(*, campaign_id: UUID) -> Campaign:
    """End a campaign for good, now if its time is not over yet. Locks it. Raises ``IllegalMove``; the default one is only paused."""
    with transaction.atomic():
        campaign = _locked(campaign_id)
        if campaign.is_default:
            raise IllegalMove("the default campaign is paused, never closed")
        status = campaign_states.after(CampaignStatus(campaign.status), CampaignMove.CLOSE)
        now = timezone.now()
        campaign.opens_at = min(campaign.opens_at or now, now)
        campaign.closes_at = max(min(campaign.closes_at or now, now), campaign.opens_at + _A_MOMENT)
        campaign.save(update_fields=["opens_at", "closes_at"])
        return _move(campaign, status)


def _locked(campaign_id: UUID) -> Campaign:
    return Campaign.objects.select_for_update(of=("self",)).get(pk=campaign_id)


def _move(campaign: Campaign, status: CampaignStatus) -> Campaign:
    campaign.status = status.value
    campaign.save(update_fields=["status"])
    logger.info("campaign %s is %s", campaign.slug, status.value)
    return campaign


def _problems(campaign: Campaign, others: list[Campaign]) -> list[CampaignProblem]:
    found: list[CampaignProblem] = []
    if not campaign.is_default:
        found += _problems_of_dates(campaign, others)
        if not campaign.texts.filter(language=SOURCE).exists():
            found.append(CampaignProblem.NO_TEXT)
    if 0 < campaign.candidates.count() < FEWEST_CANDIDATES:
        found.append(CampaignProblem.FEW_CANDIDATES)
    return found


def _problems_of_dates(campaign: Campaign, others: list[Campaign]) -> list[CampaignProblem]:
    if campaign.opens_at is None or campaign.closes_at is None:
        return [CampaignProblem.NO_DATES]
    if campaign.closes_at <= timezone.now():
        return [CampaignProblem.ENDED]
    opened = {CampaignStatus.OPEN.value, CampaignStatus.PAUSED.value}
    span = (campaign.opens_at, campaign.closes_at)
    if any(
        campaign_states.overlap(span, (each.opens_at, each.closes_at))
        for each in others
        if each.status in opened and not each.is_default
    ):
        return [CampaignProblem.OVERLAPS]
    return []
