"""What moderation leaves to be seen, and what it set aside."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from arena.models import Battle, Consent, Exclusion, ModerationEntry, Participant, Report, Vote
from arena.types import ModerationAct, ReportState
from ranking.filters import ExclusionReason


def shown_to_others(battles: QuerySet[Battle]) -> QuerySet[Battle]:
    """Those that may be shown to anybody but their volunteer, or exported.

    Neither hidden nor reported and not yet decided; of somebody who is neither banned nor deleted, whose consent stands, and who did not take the vote
    back. No query of its own.
    """
    consents = Consent.objects.filter(participant=OuterRef("participant"))
    withdrew = consents.filter(withdrawn_at__isnull=False)
    taken_back = Exclusion.objects.filter(
        vote__battle=OuterRef("pk"), reason=ExclusionReason.WITHDRAWN.value, lifted_at=None
    )
    return battles.filter(
        ~Exists(withdrew) | Exists(consents.filter(withdrawn_at=None)),
        ~Exists(taken_back),
        ~Exists(
            Report.objects.filter(
                Q(battle=OuterRef("pk")) | Q(battle__origin=OuterRef("pk")), state=ReportState.OPEN.value
            )
        ),
        hidden_at=None,
        participant__banned_at=None,
        participant__erased_at=None,
    )


def set_aside_one_by_one(participant: Participant) -> set[UUID]:
    """The volunteer's votes that moderators set aside for their own sake, not with a ban. One query."""
    acts = [ModerationAct.EXCLUDE.value, ModerationAct.RESTORE.value]
    last = ModerationEntry.objects.filter(battle=OuterRef("battle"), act__in=acts).order_by(
        "-created_at", "-pk"
    )
    votes = Vote.objects.filter(participant=participant).annotate(last=Subquery(last.values("act")[:1]))
    return set(votes.filter(last=ModerationAct.EXCLUDE.value).values_list("pk", flat=True))


def meant(report: Report) -> Battle:
    """The battle that was reported; of a pair that was judged again, the one whose texts it shows."""
    return report.battle.origin or report.battle


def acts_standing(report: Report) -> list[ModerationAct]:
    """What holds now of what staff can do about a report, in that order. Three queries at most; a prompt of a set can be hidden alone."""
    if report.battle.prompt is not None:
        return [ModerationAct.HIDE] if report.battle.prompt.hidden_at else []
    battle = meant(report)
    aside = Vote.objects.filter(battle=battle, pk__in=set_aside_one_by_one(battle.participant))
    holds = {
        ModerationAct.HIDE: battle.hidden_at is not None,
        ModerationAct.EXCLUDE: aside.exists(),
        ModerationAct.BAN: battle.participant.banned_at is not None,
    }
    return [act for act, stands in holds.items() if stands]


def entries_about(report: Report) -> QuerySet[ModerationEntry]:
    """What was done about the battle that was reported, the one whose texts it shows, and their volunteers, newest first. No query of its own."""
    about = [report.battle, meant(report)]
    whose = [each.participant_id for each in about]
    found = ModerationEntry.objects.filter(Q(battle__in=about) | Q(participant__in=whose))
    return found.select_related("staff")


def open_report(battle: Battle) -> Report | None:
    """What its volunteer reported of it and staff have not decided. One query."""
    return battle.reports.filter(participant=battle.participant_id, state=ReportState.OPEN.value).first()


def open_reports() -> int:
    """How many wait. One query."""
    return Report.objects.filter(state=ReportState.OPEN.value).count()
