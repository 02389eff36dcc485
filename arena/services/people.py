"""Participants: their consent, what they say of themselves, how they like it, and a guest who becomes an account."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from arena import consent_text
from arena.days import midnight
from arena.erasure_log import Deed
from arena.errors import NicknameTaken
from arena.models import (
    Battle,
    Campaign,
    Consent,
    Finding,
    ModerationEntry,
    Participant,
    Report,
    SpanFeedback,
    User,
    Vote,
)
from arena.selectors.battles import unfinished_of
from arena.selectors.judging import judged_again
from arena.selectors.people import participant_or_none
from arena.services import battles
from arena.services.credits import hand_over
from arena.services.exclusions import exclude, exclude_all, lift_all
from arena.services.forgotten import note
from arena.services.releases import note_removal
from arena.types import (
    Display,
    Education,
    ExclusionSource,
    FindingState,
    LanguageLevel,
    TextSize,
    Theme,
)
from ranking.filters import ExclusionReason

logger = logging.getLogger(__name__)


def give_consent(
    *, participant_id: UUID | None, campaign: Campaign, language: str, is_14_or_older: bool
) -> Participant:
    """Record consent to the campaign's current text, making a guest where there is nobody yet.

    Repeating it changes nothing: the first time stands, unless it was withdrawn. Raises ``ValueError`` without the tick of age.
    """
    if not is_14_or_older:
        raise ValueError("consent needs the tick of age")
    with transaction.atomic():
        participant = participant_or_none(participant_id) or Participant.objects.create()
        Consent.objects.get_or_create(
            participant=participant,
            version=campaign.consent_version,
            withdrawn_at=None,
            defaults={
                "language": language,
                "text_digest": consent_text.digest(language),
                "is_14_or_older": True,
            },
        )
    return participant


def withdraw_consent(*, participant_id: UUID, takes_votes: bool) -> list[UUID]:
    """End the consent that stands, leave unfinished battles, and take the votes out of every board where that is asked.

    One transaction; locks the participant. Returns the battles that were left, whose generation the caller stops. Repeating it changes nothing.
    """
    with transaction.atomic():
        participant = locked(participant_id)
        left = end_consent(participant, takes_votes=takes_votes)
        note(Deed.WITHDRAWN, participant=participant_id, votes=takes_votes)
    return left


def end_consent(participant: Participant, *, takes_votes: bool) -> list[UUID]:
    """:func:`withdraw_consent` of a participant whom the caller's transaction has locked, noted nowhere."""
    participant.consents.filter(withdrawn_at=None).update(withdrawn_at=timezone.now())
    left = list(unfinished_of(participant).order_by("pk").values_list("pk", flat=True))
    for battle_id in left:
        battles.abandon(participant_id=participant.pk, battle_id=battle_id)
    if takes_votes:
        exclude_all(
            participant=participant,
            reason=ExclusionReason.WITHDRAWN,
            source=ExclusionSource.VOLUNTEER,
        )
    note_removal()
    return left


def declare_profile(
    *, participant_id: UUID, level: LanguageLevel | None, education: Education | None
) -> None:
    """Store what a volunteer says of themselves: with them, with votes to come, and with today's votes that say nothing yet.

    Votes of earlier days keep what was said then. Both may be left out; either way nobody is asked again.
    """
    level_said, education_said = (level.value if level else ""), (education.value if education else "")
    with transaction.atomic():
        participant = locked(participant_id)
        participant.language_level, participant.education = level_said, education_said
        participant.profile_asked_at = timezone.now()
        participant.save(update_fields=["language_level", "education", "profile_asked_at"])
        Vote.objects.filter(
            participant=participant, created_at__gte=midnight(), language_level="", education=""
        ).update(language_level=level_said, education=education_said)


def skip_profile(*, participant_id: UUID) -> None:
    """Not to be asked again; what was said before stays."""
    Participant.objects.filter(pk=participant_id).update(profile_asked_at=timezone.now())


def prefer_display(*, participant_id: UUID, display: Display) -> None:
    """Remember how a participant likes answers to appear, from the next battle on."""
    Participant.objects.filter(pk=participant_id, erased_at=None).update(display=display.value)


def prefer_appearance(*, participant_id: UUID, theme: Theme, text_size: TextSize, shortcuts: bool) -> None:
    Participant.objects.filter(pk=participant_id).update(
        theme=theme.value, text_size=text_size.value, shortcuts=shortcuts
    )


def choose_nickname(*, participant_id: UUID, nickname: str) -> None:
    """Put an account on the boards of contributors under a nickname. Raises :class:`NicknameTaken`, ``Participant.DoesNotExist`` for a guest."""
    try:
        with transaction.atomic():
            participant = Participant.objects.select_for_update().get(pk=participant_id, user__isnull=False)
            participant.nickname = nickname
            participant.save(update_fields=["nickname"])
    except IntegrityError:
        raise NicknameTaken(nickname) from None


def drop_nickname(*, participant_id: UUID) -> None:
    """Off the boards of contributors, at once. Repeating it changes nothing."""
    Participant.objects.filter(pk=participant_id).update(nickname="")


def join_guest(*, guest_id: UUID | None, user: User) -> Participant:
    """The account's participant, with everything that the guest of this browser did.

    The first guest becomes the account's participant; what a later one did moves to it, and the guest is gone. Votes keep their covariates, and the reasons
    that the site's rules found on their day, but for ``guest``: where nothing else speaks against them they count from now on, in this transaction. Where
    both voted on the same two answers, the first vote stands, and others neither count nor are credited (``duplicate_prompt``). A guest who is flagged, held
    or banned takes that to the account, whose votes then follow. Somebody else's participant is left alone.

    Locks the user, both participants in key order, the guest's battles, the account's votes, then cells of tallies.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        found = _locked_two(guest_id, user)
        guest = next((each for each in found if each.pk == guest_id and each.is_guest), None)
        own = next((each for each in found if each.user_id == user.pk), None)
        if own is None:
            own = guest or Participant()
            own.user = user
            own.save()
        elif guest is not None:
            _merge(guest, own)
        if guest is not None:
            # first, so that the tally moves in one direction: down, or up by what is lifted
            _follow_marks(own)
            lift_all(participant=own, reason=ExclusionReason.GUEST)
            logger.info("guest %s joined an account as participant %s", guest_id, own.pk)
    return own


def locked(participant_id: UUID) -> Participant:
    """The participant under a row lock that lets votes refer to it; must run inside a transaction."""
    return Participant.objects.select_for_update(no_key=True).get(pk=participant_id, erased_at=None)


def _locked_two(guest_id: UUID | None, user: User) -> list[Participant]:
    wanted = Q(user=user) | Q(pk=guest_id, erased_at=None)
    return list(
        Participant.objects.select_for_update(no_key=True, of=("self",)).filter(wanted).order_by("pk")
    )


def _merge(guest: Participant, own: Participant) -> None:
    """Move what the guest did, battles first: whoever casts a vote in one of them holds its row."""
    Battle.objects.filter(participant=guest).update(participant=own)
    Vote.objects.filter(participant=guest).update(participant=own)
    hand_over(guest, own)
    for vote_id in judged_again(own):
        exclude(vote_id=vote_id, reason=ExclusionReason.DUPLICATE_PROMPT, source=ExclusionSource.RULE)
    standing = own.consents.filter(withdrawn_at=None).values("version")
    guest.consents.filter(withdrawn_at=None, version__in=standing).delete()
    guest.consents.update(participant=own)
    _move_findings(guest, own)
    ModerationEntry.objects.filter(participant=guest).update(participant=own)
    Report.objects.filter(participant=guest).update(participant=own)
    SpanFeedback.objects.filter(participant=guest).update(participant=own)
    guest.checks.filter(day__in=own.checks.values("day")).delete()
    guest.checks.update(participant=own)
    own.language_level = own.language_level or guest.language_level
    own.education = own.education or guest.education
    own.display = own.display or guest.display
    own.profile_asked_at = own.profile_asked_at or guest.profile_asked_at
    own.flagged_at = min(filter(None, (own.flagged_at, guest.flagged_at)), default=None)
    own.held_at = min(filter(None, (own.held_at, guest.held_at)), default=None)
    own.banned_at = min(filter(None, (own.banned_at, guest.banned_at)), default=None)
    own.save()
    note(Deed.JOINED, participant=own.pk, guest=guest.pk)
    guest.delete()


def _move_findings(guest: Participant, own: Participant) -> None:
    """An open finding that the account has too says nothing more: the next review brings that one up to date."""
    for finding in guest.findings.filter(state=FindingState.OPEN.value):
        if own.findings.filter(board=finding.board, test=finding.test, state=finding.state).exists():
            finding.delete()
    Finding.objects.filter(participant=guest).update(participant=own)


def _follow_marks(participant: Participant) -> None:
    marks = {
        ExclusionReason.FLAGGED_USER: (participant.flagged_at, ExclusionSource.STAFF),
        ExclusionReason.HELD: (participant.held_at, ExclusionSource.STATISTICS),
        ExclusionReason.MODERATED: (participant.banned_at, ExclusionSource.STAFF),
    }
    for reason, (since, source) in marks.items():
        if since is not None:
            exclude_all(participant=participant, reason=reason, source=source)
