"""Reads of participants."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from arena.models import Campaign, Consent, Participant


def participant_or_none(participant_id: UUID | None) -> Participant | None:
    if participant_id is None:
        return None
    return in_good_standing().filter(pk=participant_id).first()


def in_good_standing() -> QuerySet[Participant]:
    """Who is neither erased nor of an account that was switched off; banned ones are told so."""
    return Participant.objects.filter(erased_at=None).exclude(user__is_active=False)


def is_banned(participant_id: UUID) -> bool:
    return Participant.objects.filter(pk=participant_id).exclude(banned_at=None).exists()


def has_consented(participant: Participant | None, campaign: Campaign) -> bool:
    """To the campaign's current text, and it stands."""
    if participant is None:
        return False
    return Consent.objects.filter(
        participant=participant, version=campaign.consent_version, withdrawn_at=None
    ).exists()


def asks_for_profile(participant: Participant) -> bool:
    """Whether to ask about level and education: after the first vote, and once."""
    return participant.profile_asked_at is None and participant.votes.exists()
