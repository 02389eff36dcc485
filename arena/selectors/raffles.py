"""Reads of raffles: who holds how many tickets, and what is published of a draw."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import Sum

from arena import raffle
from arena.models import Campaign, Credit, Draw, Participant, TicketHolder
from arena.raffle import Holder, Win

VOTES_A_TICKET = 10
SCHEMA = "lehia.draw/1"


@dataclass(frozen=True, slots=True)
class Entrant:
    """Somebody with tickets before the draw; *had_them_at* is when the vote came that brought the last one."""

    participant_id: UUID
    credited: int
    had_them_at: datetime

    @property
    def tickets(self) -> int:
        return tickets_of(self.credited)


def tickets_of(credited: int) -> int:
    return credited // VOTES_A_TICKET


def entrants(campaign: Campaign) -> list[Entrant]:
    """Accounts with a ticket, by who had theirs first. Guests take part once they have an account, staff never. One query."""
    rows = (
        Credit.objects.filter(
            campaign=campaign, participant__user__isnull=False, participant__user__is_staff=False
        )
        .values_list("participant", "vote", "vote__created_at")
        .annotate(credited=Sum("amount"))
        .filter(credited=1)
        .order_by("vote__created_at", "vote")
    )
    times: defaultdict[UUID, list[datetime]] = defaultdict(list)
    for participant_id, _vote, at, _credited in rows:
        times[participant_id].append(at)
    found = [
        Entrant(who, len(at), at[tickets_of(len(at)) * VOTES_A_TICKET - 1])
        for who, at in times.items()
        if tickets_of(len(at))
    ]
    return sorted(found, key=lambda each: (each.had_them_at, each.participant_id))


def pseudonym_of(participant_id: UUID, campaign: Campaign) -> str:
    """What stands for somebody in a campaign's draw: known to them alone, and nobody can choose it once the seed is committed to."""
    return sha256(f"{campaign.slug}|{participant_id}".encode()).hexdigest()[:16]


def draw_of(campaign: Campaign) -> Draw | None:
    return Draw.objects.filter(campaign=campaign).first()


def frozen(participant: Participant, campaign: Campaign) -> TicketHolder | None:
    """What the participant held when the campaign's raffle was drawn. One query."""
    return TicketHolder.objects.filter(draw__campaign=campaign, participant=participant).first()


def published(draw: Draw) -> dict[str, Any]:
    """All that is needed to repeat a draw, as :func:`arena.raffle.faults` reads it; before it is drawn, what is known. One query."""
    about: dict[str, Any] = {
        "schema": SCHEMA,
        "campaign": draw.campaign.slug,
        "algorithm": draw.algorithm,
        "prizes": draw.prizes,
        "commitment": draw.commitment,
        "committed_at": draw.committed_at.isoformat(),
    }
    if draw.drawn_at is None:
        return about
    holders = list(draw.holders.order_by("position"))
    return about | {
        "drawn_at": draw.drawn_at.isoformat(),
        "seed": draw.seed,
        "holders": [asdict(Holder(each.pseudonym, each.tickets)) for each in holders],
        "winners": [asdict(win) for win in _wins(draw, holders)],
    }


def _wins(draw: Draw, holders: list[TicketHolder]) -> list[Win]:
    """As they are stored; whether they follow from the seed is for who checks."""
    return sorted(
        (
            Win(
                each.place, each.pseudonym, each.ticket, raffle.number(draw.seed, each.pseudonym, each.ticket)
            )
            for each in holders
            if each.place is not None and each.ticket is not None
        ),
        key=lambda win: win.place,
    )


def as_csv(draw: Draw) -> str:
    """The list that was drawn from, a holder a line, in its order. One query."""
    lines = [
        f"{each.position},{each.pseudonym},{each.tickets},{each.place or ''}"
        for each in draw.holders.order_by("position")
    ]
    return "\n".join(["position,pseudonym,tickets,place", *lines, ""])
