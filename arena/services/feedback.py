"""What volunteers say of passages of the answers, once they have voted."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from arena.errors import NoSuchPassage, TooManyPassages
from arena.models import Answer, SpanFeedback
from arena.services.people import locked
from arena.services.releases import note_removal
from arena.types import BattleStatus, FeedbackKind

MOST_OF_A_BATTLE = 100


@dataclass(frozen=True, slots=True)
class Said:
    """A passage of an answer, by code points of its text, and what is said of it."""

    answer_id: UUID
    start: int
    end: int
    kind: FeedbackKind
    comment: str = ""
    rewrite: str = ""


def add_feedback(*, battle_id: UUID, participant_id: UUID, said: Said) -> SpanFeedback:
    """Keep what a volunteer says of a passage in their own battle.

    Locks the participant. Raises :class:`NoSuchPassage` also before the vote and for battles of others, and :class:`TooManyPassages`.
    """
    with transaction.atomic():
        locked(participant_id)
        answer = _answer(battle_id, participant_id, said)
        if SpanFeedback.objects.filter(answer__turn__battle=battle_id).count() >= MOST_OF_A_BATTLE:
            raise TooManyPassages("this battle has as many marks as it takes")
        return SpanFeedback.objects.create(answer=answer, participant_id=participant_id, **_fields(said))


def replace_feedback(*, feedback_id: UUID, battle_id: UUID, participant_id: UUID, said: Said) -> None:
    """Put other words, or another passage, in the place of one's own. Raises ``SpanFeedback.DoesNotExist`` and as :func:`add_feedback`."""
    with transaction.atomic():
        own = _own(battle_id, participant_id).select_for_update(of=("self",)).get(pk=feedback_id)
        own.answer = _answer(battle_id, participant_id, said)
        for name, value in _fields(said).items():
            setattr(own, name, value)
        own.save()


def delete_feedback(*, feedback_id: UUID, battle_id: UUID, participant_id: UUID) -> None:
    """Take one's own back. Raises ``SpanFeedback.DoesNotExist``."""
    _own(battle_id, participant_id).get(pk=feedback_id).delete()
    note_removal()


def _own(battle_id: UUID, participant_id: UUID) -> QuerySet[SpanFeedback]:
    return SpanFeedback.objects.filter(participant=participant_id, answer__turn__battle=battle_id)


def _answer(battle_id: UUID, participant_id: UUID, said: Said) -> Answer:
    answer = Answer.objects.filter(
        pk=said.answer_id,
        turn__battle=battle_id,
        turn__battle__participant=participant_id,
        turn__battle__status=BattleStatus.VOTED.value,
    ).first()
    if answer is None or not 0 <= said.start < said.end <= len(answer.text):
        raise NoSuchPassage("there is no such passage in an answer of theirs")
    return answer


def _fields(said: Said) -> dict[str, str | int]:
    return {
        "start": said.start,
        "end": said.end,
        "kind": said.kind.value,
        "comment": said.comment.strip(),
        "rewrite": said.rewrite.strip(),
    }
