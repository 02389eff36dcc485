"""Participants and their consent."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from arena.models import Campaign, Consent, Participant
from arena.types import Display


def give_consent(
    *, participant_id: UUID | None, campaign: Campaign, language: str, is_14_or_older: bool
) -> Participant:
    """Record consent to the campaign's current text, making a guest where there is nobody yet.

    Repeating it changes nothing: the first time stands. Raises ``ValueError`` without the tick of age.
    """
    if not is_14_or_older:
        raise ValueError("consent needs the tick of age")
    with transaction.atomic():
        participant = Participant.objects.filter(pk=participant_id).first() if participant_id else None
        if participant is None:
            participant = Participant.objects.create()
        Consent.objects.get_or_create(
            participant=participant,
            version=campaign.consent_version,
            defaults={"language": language, "is_14_or_older": True},
        )
    return participant


def prefer_display(*, participant_id: UUID, display: Display) -> None:
    """Remember how a participant likes answers to appear, from the next battle on."""
    Participant.objects.filter(pk=participant_id).update(display=display.value)
