"""Makes a restored database forget what was to be forgotten since its backup, and before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from arena.erasure_log import Deed, Line
from arena.models import Battle, Consent, Exclusion, Participant, User, Vote
from arena.services import erasure
from arena.services.exclusions import exclude
from arena.services.releases import note_removal
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason


def replay(lines: Sequence[Line]) -> Counter[Deed]:
    """Do again what the lines say, oldest first, as far as it is not done. Returns what there was to do, by deed.

    A transaction a deed, so that what is cut off goes on. Repeating it changes nothing. Of a battle, the last line holds.
    """
    guests = _guests(lines)
    done: Counter[Deed] = Counter()
    for line in lines:
        whose = _with_guests(line.participant, guests)
        match line.deed:
            case Deed.ERASED:
                done[line.deed] += _erase(whose, line.account)
            case Deed.WITHDRAWN:
                done[line.deed] += _withdraw(whose, line)
    for battle_id, line in {each.battle: each for each in lines if each.battle is not None}.items():
        done[line.deed] += _show_or_hide(battle_id, line)
    if done.total():
        note_removal()
    return done


def _guests(lines: Iterable[Line]) -> dict[UUID, set[UUID]]:
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for line in lines:
        if line.deed is Deed.JOINED and line.participant is not None and line.guest is not None:
            found[line.participant].add(line.guest)
    return found


def _with_guests(participant: UUID | None, guests: dict[UUID, set[UUID]]) -> set[UUID]:
    """Whoever became part of them: in a backup of before they still stand alone. A guest never took in another one."""
    return set() if participant is None else {participant, *guests.get(participant, ())}


def _erase(whose: set[UUID], account: UUID | None) -> int:
    """Also of somebody who was staff at the time of the backup: they were none when they were erased."""
    erased = 0
    for key in Participant.objects.filter(pk__in=whose, erased_at=None).values_list("pk", flat=True):
        erasure.forget_participant(participant_id=key)
        erased += 1
    named = User.objects.exclude(is_active=False, email="")
    user = named.filter(public_id=account).first() if account is not None else None
    if user is not None:
        erasure.forget_account(user_id=user.pk)
        erased += 1
    return erased


def _withdraw(whose: set[UUID], line: Line) -> int:
    """What was consented to, or voted, after that time stands."""
    with transaction.atomic():
        standing = Consent.objects.filter(participant__in=whose, withdrawn_at=None, given_at__lte=line.at)
        withdrawn = standing.update(withdrawn_at=line.at)
        if line.votes:
            votes = Vote.objects.filter(participant__in=whose, created_at__lte=line.at)
            against = Exclusion.objects.filter(reason=ExclusionReason.WITHDRAWN.value, lifted_at=None)
            standing_votes = votes.exclude(pk__in=against.values("vote")).order_by("pk")
            for vote_id in standing_votes.values_list("pk", flat=True):
                exclude(vote_id=vote_id, reason=ExclusionReason.WITHDRAWN, source=ExclusionSource.VOLUNTEER)
                withdrawn += 1
    return withdrawn


def _show_or_hide(battle_id: UUID, line: Line) -> int:
    battles = Battle.objects.filter(pk=battle_id)
    if line.deed is Deed.HIDDEN:
        return battles.filter(hidden_at=None).update(hidden_at=line.at)
    return battles.filter(hidden_at__isnull=False).update(hidden_at=None)
