"""Votes: cast once, counted in the same transaction."""

from __future__ import annotations

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
from arena.selectors.checks import has_check, standing_result
from arena.selectors.judgements import Judgements, judgements_of, tally_entries
from arena.services.credits import is_beyond_cap
from arena.services.exclusions import add_reasons
from arena.services.screening import reasons_against
from arena.services.turns import status_of
from arena.states import Move
from arena.types import BasqueCheck, BattleStatus, Registration
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
        battle = Battle.objects.select_for_update().get(pk=battle_id)
        if voter is None or battle.participant_id != participant.pk:
            raise NotYourBattle("this battle belongs to somebody else")
        standing = Vote.objects.filter(battle=battle).prefetch_related("judgements").first()
        if standing is not None:
            return _repeated(standing, judgements)
        if voter.banned_at is not None:
            raise VoterBanned("moderators closed the site to this volunteer")
        _check_campaign(battle.campaign, participant)
        checked = _checked(battle.campaign, participant)
        _close(battle)
        reasons = reasons_against(battle, winner)
        vote = Vote.objects.create(
            battle=battle,
            participant=participant,
            winner=winner.value,
            beyond_cap=is_beyond_cap(battle, participant),
            language_level=participant.language_level,
            education=participant.education,
            check_right=checked.right if checked else None,
            check_asked=checked.asked if checked else None,
        )
        Judgement.objects.bulk_create(
            Judgement(vote=vote, criterion=criterion.value, outcome=outcome.value)
            for criterion, outcome in judgements.asked()
        )
        add_reasons(vote, reasons)
        if vote.counted:
            record(board_id=battle.campaign.board_id, entries=tally_entries(battle, judgements))
    return vote


def _repeated(standing: Vote, judgements: Judgements) -> Vote:
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


def _close(battle: Battle) -> None:
    last = battle.turns.order_by("-index").first()
    if last is None or not states.both_complete(map(status_of, last.answers.all())):
        raise NotVotable("a side of the last turn is not complete")
    try:
        battle.status = states.after(BattleStatus(battle.status), Move.VOTE).value
    except IllegalMove as refusal:
        raise NotVotable(str(refusal)) from None
    battle.ended_at = timezone.now()
    battle.save(update_fields=["status", "ended_at"])
