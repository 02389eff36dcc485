"""Votes: cast once, counted in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena import states
from arena.campaign_states import takes_votes
from arena.errors import (
    AccountNeeded,
    CampaignOver,
    CheckNeeded,
    IllegalMove,
    NotVotable,
    NotYourBattle,
    VoteAlreadyCast,
    VoterBanned,
)
from arena.models import Battle, Campaign, CheckResult, Judgement, Participant, Vote
from arena.observing import metrics
from arena.selectors.checks import has_check, standing_result
from arena.selectors.judgements import Judgements, judgements_of, tally_entries
from arena.selectors.voting import Asked, RecentVotes, chat_of, recent_votes
from arena.services.exclusions import store_with
from arena.services.screening import reasons_against
from arena.states import Move
from arena.types import BasqueCheck, BattleStatus, Registration
from ranking.filters import ExclusionReason
from ranking.services import record


def cast_vote(*, battle_id: UUID, participant: Participant, judgements: Judgements) -> Vote:
    """Record the participant's vote, ask the site's rules, move the tally by one where none speaks against it, and open the reveal.

    One transaction; locks the participant, the battle, then the tally's rows in key order. A repeated identical vote returns the first one; a different one
    raises ``VoteAlreadyCast``. Raises ``CampaignOver``, ``AccountNeeded``, ``CheckNeeded``, ``NotVotable``, ``NotYourBattle``, ``VoterBanned``,
    ``InvalidJudgements``, ``Battle.DoesNotExist``.
    """
    winner = judgements.winner
    with transaction.atomic():
        voter = Participant.objects.select_for_update(no_key=True).filter(pk=participant.pk).first()
        battle = _locked(battle_id)
        if voter is None or battle.participant_id != voter.pk:
            raise NotYourBattle("this battle belongs to somebody else")
        if battle.status == BattleStatus.VOTED.value:
            repeated = _repeated(battle, judgements)
            metrics.voted("repeated")
            return repeated
        if voter.banned_at is not None:
            raise VoterBanned("moderators closed the site to this volunteer")
        _check_campaign(battle.campaign, voter)
        checked = _checked(battle.campaign, voter)
        battle.participant = voter
        chat, recent = chat_of(battle), recent_votes(battle)
        _close(battle, chat)
        reasons = reasons_against(battle, chat, winner, recent)
        vote = _store(battle, judgements, checked, reasons, recent)
        if vote.counted:
            record(board_id=battle.campaign.board_id, entries=tally_entries(battle, judgements))
    metrics.voted("counted" if vote.counted else "set_aside")
    return vote


def _locked(battle_id: UUID) -> Battle:
    """The battle under a row lock, with what its vote is weighed by."""
    found = Battle.objects.select_related("campaign", "candidate_a", "candidate_b")
    return found.select_for_update(of=("self",)).get(pk=battle_id)


def _store(
    battle: Battle,
    judgements: Judgements,
    checked: CheckResult | None,
    reasons: Collection[ExclusionReason],
    recent: RecentVotes,
) -> Vote:
    voter = battle.participant
    vote = Vote(
        battle=battle,
        participant=voter,
        winner=judgements.winner.value,
        beyond_cap=recent.credited_today >= battle.campaign.credited_a_day,
        language_level=voter.language_level,
        education=voter.education,
        check_right=checked.right if checked else None,
        check_asked=checked.asked if checked else None,
    )
    store_with(vote, reasons)
    Judgement.objects.bulk_create(
        Judgement(vote=vote, criterion=criterion.value, outcome=outcome.value)
        for criterion, outcome in judgements.asked()
    )
    return vote


def _repeated(battle: Battle, judgements: Judgements) -> Vote:
    standing = Vote.objects.prefetch_related("judgements").get(battle=battle)
    if judgements_of(standing) != judgements:
        raise VoteAlreadyCast("this battle holds another vote")
    return standing


def _check_campaign(campaign: Campaign, participant: Participant) -> None:
    now = timezone.now()
    if not takes_votes(campaign.phase_at(now), closes_at=campaign.closes_at, now=now):
        raise CampaignOver("the campaign takes no more votes")
    if participant.is_guest and campaign.registration != Registration.NOTHING.value:
        raise AccountNeeded("the campaign takes votes of accounts only")


def _checked(campaign: Campaign, participant: Participant) -> CheckResult | None:
    result = standing_result(campaign, participant)
    if result is None and campaign.basque_check == BasqueCheck.REQUIRED.value and has_check(campaign):
        raise CheckNeeded("the campaign asks for the Basque check first")
    return result


def _close(battle: Battle, chat: Sequence[Asked]) -> None:
    if not chat or not states.both_complete(answer.status for answer in chat[-1].answers):
        raise NotVotable("a side of the last turn is not complete")
    try:
        battle.status = states.after(BattleStatus(battle.status), Move.VOTE).value
    except IllegalMove as refusal:
        raise NotVotable(str(refusal)) from None
    battle.ended_at = timezone.now()
    battle.save(update_fields=["status", "ended_at"])
