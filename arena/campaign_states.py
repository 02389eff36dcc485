"""The life of a campaign: what staff decide, and what its dates make of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from arena.errors import IllegalMove
from arena.types import CampaignPhase, CampaignStatus

VOTES_AFTER = timedelta(hours=1)
"""So long after its end a campaign takes votes on battles that had both answers."""


class CampaignMove(StrEnum):
    OPEN = "open"
    PAUSE = "pause"
    CLOSE = "close"


_AFTER = {
    (CampaignStatus.DRAFT, CampaignMove.OPEN): CampaignStatus.OPEN,
    (CampaignStatus.PAUSED, CampaignMove.OPEN): CampaignStatus.OPEN,
    (CampaignStatus.OPEN, CampaignMove.PAUSE): CampaignStatus.PAUSED,
    (CampaignStatus.OPEN, CampaignMove.CLOSE): CampaignStatus.CLOSED,
    (CampaignStatus.PAUSED, CampaignMove.CLOSE): CampaignStatus.CLOSED,
}


def after(status: CampaignStatus, move: CampaignMove) -> CampaignStatus:
    """The status that the move leads to. Raises :class:`IllegalMove`; what is closed stays closed."""
    try:
        return _AFTER[status, move]
    except KeyError:
        raise IllegalMove(f"{move} does not follow {status}") from None


def phase(
    status: CampaignStatus, *, opens_at: datetime | None, closes_at: datetime | None, now: datetime
) -> CampaignPhase:
    """What a campaign is at this moment. It runs from *opens_at* on, until just before *closes_at*."""
    if status is CampaignStatus.DRAFT:
        return CampaignPhase.PREPARED
    if status is CampaignStatus.CLOSED or (closes_at is not None and closes_at <= now):
        return CampaignPhase.OVER
    if opens_at is not None and now < opens_at:
        return CampaignPhase.COMING
    return CampaignPhase.PAUSED if status is CampaignStatus.PAUSED else CampaignPhase.RUNNING


def takes_votes(phase_now: CampaignPhase, *, closes_at: datetime | None, now: datetime) -> bool:
    """Whether votes on answered battles are taken: while it runs, while it is paused, and for :data:`VOTES_AFTER` after its end."""
    if phase_now is CampaignPhase.OVER:
        return closes_at is not None and now < closes_at + VOTES_AFTER
    return phase_now in {CampaignPhase.RUNNING, CampaignPhase.PAUSED}


def overlap(a: tuple[datetime | None, datetime | None], b: tuple[datetime | None, datetime | None]) -> bool:
    """Whether two spans share a moment; ``None`` is without end on that side. Ends are not part of a span."""
    (a_begin, a_end), (b_begin, b_end) = a, b
    a_is_before = a_end is not None and b_begin is not None and a_end <= b_begin
    b_is_before = b_end is not None and a_begin is not None and b_end <= a_begin
    return not (a_is_before or b_is_before)
