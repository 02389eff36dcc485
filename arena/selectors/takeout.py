"""Everything that is kept about a volunteer, as plain values for a file of theirs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from arena.days import midnight
from arena.models import (
    Answer,
    Battle,
    Campaign,
    Consent,
    ModerationEntry,
    Participant,
    Report,
    Session,
    SpanFeedback,
    Turn,
    User,
    Vote,
)
from arena.selectors import mine
from arena.selectors.judgements import judgements_of
from arena.selectors.reveals import TOLD_AT_ONCE
from arena.selectors.work_with_data import work_of
from arena.services.battles import reveal
from arena.services.turns import user_of
from arena.types import BattleSource, BattleStatus
from inference.models import UserUsage

BATTLES_AT_ONCE = 50

Plain = dict[str, Any]


def about(participant: Participant) -> Plain:
    """All but the battles."""
    return {
        "participant": {
            "id": str(participant.pk),
            "since": participant.created_at.isoformat(),
            "language_level": participant.language_level,
            "education": participant.education,
            "nickname": participant.nickname,
            "display": participant.display,
            "theme": participant.theme,
            "text_size": participant.text_size,
            "shortcuts": participant.shortcuts,
        },
        "account": _account(participant.user) if participant.user else None,
        "consents": [_consent(each) for each in participant.consents.order_by("given_at")],
        "basque_checks": [
            {
                "campaign": each.campaign.slug,
                "at": each.taken_at.isoformat(),
                "right": each.right,
                "asked": each.asked,
            }
            for each in participant.checks.select_related("campaign").order_by("taken_at")
        ],
        "raffles": [
            {
                "campaign": each.draw.campaign.slug,
                "pseudonym": each.pseudonym,
                "tickets": each.tickets,
                "place": each.place,
            }
            for each in participant.held_tickets.select_related("draw__campaign")
        ],
        "credited": [
            {"campaign": each.slug, "votes": mine.settled(participant, each)}
            for each in Campaign.objects.filter(battles__vote__participant=participant).distinct()
        ],
        "hasty_weeks": [monday.date().isoformat() for monday in sorted(mine.hasty_weeks(participant))],
        "moderation": [_act(each) for each in participant.moderation.all()],
        "sessions": Session.objects.filter(participant_id=participant.pk).count(),
        "answered_tokens": [
            {"day": day.isoformat(), "tokens": tokens}
            for day, tokens in UserUsage.objects.filter(user=user_of(participant.pk)).values_list(
                "day", "tokens"
            )
        ],
    }


def battles_after(participant: Participant, last: UUID | None) -> list[tuple[UUID, Plain]]:
    """The next battles in the order of their keys, each with its key; none after the last one. Eight queries.

    Who answered is told of battles that hold their vote alone.
    """
    battles = (
        Battle.objects.filter(participant=participant)
        .select_related("candidate_a", "candidate_b", "vote")
        .prefetch_related(
            "turns__answers__feedback", "vote__judgements", "vote__exclusions", "reports", "moderation"
        )
        .order_by("pk")
    )
    if last is not None:
        battles = battles.filter(pk__gt=last)
    return [(battle.pk, _battle(battle)) for battle in battles[:BATTLES_AT_ONCE]]


def _account(user: User) -> Plain:
    return {
        "username": user.username,
        "email": user.email,
        "addresses": list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary")),
        "joined": user.date_joined.isoformat(),
        "last_login": user.last_login.isoformat() if user.last_login else None,
        "second_factors": list(Authenticator.objects.filter(user=user).values_list("type", flat=True)),
    } | work_of(user)


def _consent(given: Consent) -> Plain:
    return {
        "version": given.version,
        "language": given.language,
        "text_sha256": given.text_digest,
        "given": given.given_at.isoformat(),
        "withdrawn": given.withdrawn_at.isoformat() if given.withdrawn_at else None,
    }


def _battle(battle: Battle) -> Plain:
    """Of a pair that was given to them to judge, what they judged and marked, controls like all others: what was asked there is somebody else's."""
    voted, is_own = (
        BattleStatus(battle.status) is BattleStatus.VOTED,
        battle.source == BattleSource.LIVE.value,
    )
    who = reveal(battle) if voted else None
    return {
        "id": str(battle.pk),
        "begun": battle.created_at.isoformat(),
        "status": battle.status,
        "source": battle.source,
        "model_a": who.a.code if who else None,
        "model_b": who.b.code if who else None,
        "turns": [_turn(turn, is_own=is_own) for turn in battle.turns.all()],
        "vote": _vote(battle.vote) if voted else None,
        "reports": [_report(each) for each in battle.reports.all()],
        "moderation": [_act(each) for each in battle.moderation.all()],
    }


def _report(report: Report) -> Plain:
    return {
        "at": report.created_at.isoformat(),
        "reason": report.reason,
        "words": report.words,
        "state": report.state,
    }


def _act(entry: ModerationEntry) -> Plain:
    return {"at": entry.created_at.isoformat(), "act": entry.act, "note": entry.note}


def _turn(turn: Turn, *, is_own: bool) -> Plain:
    return {
        "at": turn.created_at.isoformat(),
        "message": turn.text if is_own else None,
        "answers": {answer.side: _answer(answer, is_own=is_own) for answer in turn.answers.all()},
    }


def _answer(answer: Answer, *, is_own: bool) -> Plain:
    return {
        "status": answer.status,
        "text": answer.text if is_own else None,
        "marked": [_marked(each) for each in answer.feedback.all()],
    }


def _marked(said: SpanFeedback) -> Plain:
    """Offsets count code points of the answer's text."""
    return {
        "at": said.created_at.isoformat(),
        "start": said.start,
        "end": said.end,
        "kind": said.kind,
        "comment": said.comment,
        "rewrite": said.rewrite,
    }


def _vote(vote: Vote) -> Plain:
    """What became of today's votes is told tomorrow, as on their page; of haste, a week's, and of controls, holds and flags nothing, so that *counted* says
    ``False`` or nothing, and what was credited is told as a sum."""
    judgements, is_settled = judgements_of(vote), vote.created_at < midnight()
    told = TOLD_AT_ONCE & {each.reason for each in vote.exclusions.all() if each.lifted_at is None}
    return {
        "at": vote.created_at.isoformat(),
        "winner": vote.winner,
        "content": judgements.content.value,
        "language": judgements.language.value,
        "overall": judgements.overall.value if judgements.overall else None,
        "counted": False if told and is_settled else None,
        "language_level": vote.language_level,
        "education": vote.education,
        "check_right": vote.check_right,
        "check_asked": vote.check_asked,
        "not_counted_because": sorted(told) if is_settled else None,
    }
