"""Raffles: a seed is committed to while the campaign runs, and drawn when it is over."""

from __future__ import annotations

import logging
import secrets
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena import raffle
from arena.campaign_states import takes_votes
from arena.errors import RaffleRefused
from arena.models import Campaign, Draw, TicketHolder
from arena.raffle import Holder
from arena.selectors.raffles import entrants, pseudonym_of
from arena.types import CampaignPhase, RaffleProblem

logger = logging.getLogger(__name__)
_SEED_BYTES = 32


def commit_to_raffle(*, campaign_id: UUID, prizes: int) -> Draw:
    """Choose the seed of a campaign's raffle, whose SHA-256 is public from now on.

    Locks the campaign. Raises :class:`RaffleRefused` once the campaign is over, where seed and list could be made to fit, or where there is a raffle already.
    """
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update(of=("self",)).get(pk=campaign_id)
        if problem := problem_with_committing(campaign):
            raise RaffleRefused(problem)
        seed = secrets.token_hex(_SEED_BYTES)
        return Draw.objects.create(
            campaign=campaign, prizes=prizes, seed=seed, commitment=raffle.commitment(seed)
        )


def problem_with_committing(campaign: Campaign) -> RaffleProblem | None:
    """What would make :func:`commit_to_raffle` refuse."""
    if campaign.phase_at(timezone.now()) is CampaignPhase.OVER:
        return RaffleProblem.TOO_LATE
    return RaffleProblem.THERE_ALREADY if Draw.objects.filter(campaign=campaign).exists() else None


def draw_raffle(*, campaign_id: UUID) -> Draw:
    """Freeze the tickets and draw. Repeating it changes nothing and returns the same draw.

    One transaction; locks the draw. The ledger may move on afterwards, these tickets do not. Raises :class:`RaffleRefused`.
    """
    with transaction.atomic():
        found = Draw.objects.select_for_update(of=("self",)).select_related("campaign")
        draw = found.filter(campaign=campaign_id).first()
        if draw is None:
            raise RaffleRefused(RaffleProblem.NOT_COMMITTED)
        if draw.drawn_at is not None:
            return draw
        now = timezone.now()
        phase = draw.campaign.phase_at(now)
        if phase is not CampaignPhase.OVER or takes_votes(phase, closes_at=draw.campaign.closes_at, now=now):
            raise RaffleRefused(RaffleProblem.TOO_EARLY)
        _freeze(draw)
        draw.drawn_at = now
        draw.save(update_fields=["drawn_at"])
    logger.info("the raffle of campaign %s is drawn", draw.campaign.slug)
    return draw


def _freeze(draw: Draw) -> None:
    held = [(each, pseudonym_of(each.participant_id, draw.campaign)) for each in entrants(draw.campaign)]
    holders = [Holder(pseudonym, each.tickets) for each, pseudonym in held]
    won = {win.pseudonym: win for win in raffle.draw(seed=draw.seed, holders=holders, prizes=draw.prizes)}
    TicketHolder.objects.bulk_create(
        TicketHolder(
            draw=draw,
            participant_id=each.participant_id,
            position=position,
            pseudonym=pseudonym,
            credited=each.credited,
            tickets=each.tickets,
            place=won[pseudonym].place if pseudonym in won else None,
            ticket=won[pseudonym].ticket if pseudonym in won else None,
        )
        for position, (each, pseudonym) in enumerate(held, start=1)
    )
