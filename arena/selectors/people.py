"""Reads of participants."""

from __future__ import annotations

from uuid import UUID

from arena.models import Campaign, Consent, Participant


def participant_or_none(participant_id: UUID | None) -> Participant | None:
    if participant_id is None:
        return None
    return Participant.objects.filter(pk=participant_id).first()


def has_consented(participant: Participant | None, campaign: Campaign) -> bool:
    if participant is None:
        return False
    return Consent.objects.filter(participant=participant, version=campaign.consent_version).exists()
