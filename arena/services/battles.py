"""The life of a battle: it opens, takes turns, is left. And the one place that tells who answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from arena import states
from arena.dates import basque_date
from arena.errors import IllegalMove, Refused
from arena.models import Battle, Campaign, Participant, Turn
from arena.plan import TurnPlan
from arena.selectors import campaigns, people
from arena.selectors.battles import unfinished_of
from arena.services import draws, turns
from arena.states import Move
from arena.types import BattleSource, BattleStatus, CampaignPhase, Display, RefusalCode, Registration, Side
from inference.models import Candidate
from inference.selectors import tokens_used_today
from inference.types import GenerationRequest

MOST_REPLACEMENTS = 2
"""Of one side of a battle; then it stays dead, with a retry."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn that stands. *plan* is there for the caller that made it, absent for a harmless resend."""

    battle_id: UUID
    plan: TurnPlan | None


def begin_turn(
    *,
    participant_id: UUID | None,
    battle_id: UUID | None,
    text: str,
    key: UUID,
    runner_id: UUID,
    still: bool = False,
) -> Begun:
    """Store the volunteer's message, opening a battle where *battle_id* is absent, and plan its answers.

    The answers of a *still* battle appear once both are whole, unless the participant chose otherwise.

    Locks the participant, then the battle. A repeated *key* of the same participant returns the turn that stands. Raises ``Refused``.
    """
    with transaction.atomic():
        campaign = campaigns.current_campaign()
        participant = consenting(participant_id, campaign)
        standing = Turn.objects.select_related("battle").filter(key=key).first()
        if standing is not None:
            return _resent(standing, participant)
        _check_message(text, participant, campaign)
        _check_tokens(participant, campaign)
        battle, index = (
            _open(participant, campaign, still=still) if battle_id is None else _go_on(battle_id, participant)
        )
        lease = turns.lease_for(runner_id)
        turn = Turn.objects.create(battle=battle, index=index, text=text, key=key, **lease)
        return Begun(battle.pk, turns.plan_answers(battle=battle, turn=turn, standing={}))


def retry_side(*, participant_id: UUID | None, battle_id: UUID, side: Side, runner_id: UUID) -> TurnPlan:
    """Ask again for a side of the last turn that failed or was interrupted.

    The other side is asked again too when it did not end well, so that one retry mends the turn. Locks the battle. Raises ``Refused``.
    """
    with transaction.atomic():
        participant = consenting(participant_id, campaigns.current_campaign())
        battle = locked_battle(battle_id, participant)
        check_running(battle.campaign, participant)
        turn = battle.turns.order_by("-index").first()
        if turn is None or turn.runner_id is not None:
            raise Refused(RefusalCode.NOT_READY)
        _move(battle, Move.RETRY)
        answers = {Side(answer.side): answer for answer in turn.answers.all()}
        if not states.may_retry(turns.status_of(answers[side])):
            raise Refused(RefusalCode.NOT_READY)
        battle.turns.filter(pk=turn.pk).update(**turns.lease_for(runner_id))
        return turns.plan_answers(battle=battle, turn=turn, standing=answers)


def replace_side(
    *, battle_id: UUID, turn_id: UUID, side: Side, runner_id: UUID, code: str
) -> GenerationRequest | None:
    """Give a side that died in the first turn to another candidate, by a draw of its own, and ask that one.

    Locks the battle. ``None`` where the side stays dead: a later turn, a battle that was left, a lease that was taken away, two replacements of the
    side already, or nobody else at work.
    """
    with transaction.atomic():
        battle = Battle.objects.select_for_update().get(pk=battle_id)
        turn = battle.turns.get(pk=turn_id)
        if turn.index != 1 or turn.runner_id != runner_id or battle.status != BattleStatus.ANSWERING.value:
            return None
        if battle.replacements.filter(side=side.value).count() >= MOST_REPLACEMENTS:
            return None
        drawn = draws.draw_replacement(battle=battle, side=side)
        if drawn is None:
            return None
        answer = turn.answers.get(side=side.value)
        battle.replacements.create(
            side=side.value,
            candidate=battle.candidate_a if side is Side.A else battle.candidate_b,
            endpoint_id=answer.endpoint_id,
            error_code=code,
            policy=drawn.policy,
            propensity=drawn.propensity,
            draw_seed=drawn.seed,
        )
        battle.candidate_a, battle.candidate_b = drawn.candidate_a, drawn.candidate_b
        battle.save(update_fields=["candidate_a", "candidate_b"])
        return turns.ask_again(battle=battle, turn=turn, side=side)


def abandon(*, participant_id: UUID | None, battle_id: UUID) -> None:
    """Leave a battle for good. Locks it; leaving twice, or leaving a voted one, changes nothing. Raises ``Refused``."""
    with transaction.atomic():
        battle = locked_battle(battle_id, people.participant_or_none(participant_id))
        try:
            battle.status = states.after(BattleStatus(battle.status), Move.ABANDON).value
        except IllegalMove:
            return
        battle.ended_at = timezone.now()
        battle.save(update_fields=["status", "ended_at"])


def locked_battle(battle_id: UUID, participant: Participant | None) -> Battle:
    """The participant's battle under a row lock; must run inside a transaction. Raises ``Refused``: of others' nobody learns that they are there."""
    whole = Battle.objects.select_related("campaign", "candidate_a", "candidate_b")
    battle = whole.select_for_update(of=("self",)).filter(pk=battle_id).first()
    if battle is None or participant is None or battle.participant_id != participant.pk:
        raise Refused(RefusalCode.NOT_FOUND)
    return battle


@dataclass(frozen=True, slots=True)
class Identities:
    """Who answered on each side."""

    a: Candidate
    b: Candidate


def reveal(battle: Battle) -> Identities:
    """The candidates of a battle that holds its vote. The only way to learn them; ``IllegalMove`` before the vote."""
    if BattleStatus(battle.status) is not BattleStatus.VOTED:
        raise IllegalMove("a battle is revealed by its vote")
    return Identities(a=battle.candidate_a, b=battle.candidate_b)


def consenting(participant_id: UUID | None, campaign: Campaign) -> Participant:
    standing = people.in_good_standing().select_for_update(of=("self",))
    participant = standing.filter(pk=participant_id).first() if participant_id else None
    if participant is not None and participant.banned_at is not None:
        raise Refused(RefusalCode.BANNED)
    if participant is None or not people.has_consented(participant, campaign):
        raise Refused(RefusalCode.CONSENT_NEEDED)
    return participant


def _resent(turn: Turn, participant: Participant) -> Begun:
    if turn.battle.participant_id != participant.pk:
        raise Refused(RefusalCode.BAD_FRAME)
    return Begun(turn.battle_id, None)


def _check_message(text: str, participant: Participant, campaign: Campaign) -> None:
    if not text.strip() or "\x00" in text:
        raise Refused(RefusalCode.EMPTY)
    if len(text) > campaign.max_prompt_chars:
        raise Refused(RefusalCode.TOO_LONG)
    if participant.is_guest:
        recent = Turn.objects.filter(
            battle__participant=participant, created_at__gte=timezone.now() - timedelta(hours=1)
        )
        if recent.count() >= campaign.guest_turns_per_hour:
            raise Refused(RefusalCode.TOO_MANY_MESSAGES)


def check_running(campaign: Campaign, participant: Participant) -> None:
    """That the battle's own campaign takes messages from the participant."""
    phase = campaign.phase_at(timezone.now())
    if phase is CampaignPhase.PAUSED:
        raise Refused(RefusalCode.CAMPAIGN_PAUSED)
    if phase is not CampaignPhase.RUNNING:
        raise Refused(RefusalCode.CAMPAIGN_OVER)
    if participant.is_guest and campaign.registration == Registration.BATTLE.value:
        raise Refused(RefusalCode.ACCOUNT_NEEDED)


def _check_tokens(participant: Participant, campaign: Campaign) -> None:
    if tokens_used_today(turns.user_of(participant.pk)) >= campaign.tokens_per_day:
        raise Refused(RefusalCode.TOO_MANY_TOKENS)


def _open(participant: Participant, campaign: Campaign, *, still: bool) -> tuple[Battle, int]:
    """A new battle and the number of its first turn, which is about to be stored."""
    check_running(campaign, participant)
    if participant.is_guest and unfinished_of(participant).count() >= campaign.guest_open_battles:
        raise Refused(RefusalCode.TOO_MANY_BATTLES)
    drawn = draws.draw_pair(participant=participant, campaign=campaign)
    battle = Battle.objects.create(
        campaign=campaign,
        participant=participant,
        status=states.after(BattleStatus.OPEN, Move.TURN).value,
        candidate_a=drawn.candidate_a,
        candidate_b=drawn.candidate_b,
        system_prompt=campaign.system_prompt.replace("{date}", basque_date(timezone.localdate())),
        display=participant.display or (Display.WHOLE.value if still else campaign.display),
        policy=drawn.policy,
        propensity=drawn.propensity,
        draw_seed=drawn.seed,
    )
    return battle, 1


def _go_on(battle_id: UUID, participant: Participant) -> tuple[Battle, int]:
    """The participant's battle, locked, and the number of its next turn, which is about to be stored."""
    battle = locked_battle(battle_id, participant)
    if battle.source != BattleSource.LIVE.value:
        raise Refused(RefusalCode.CLOSED)
    check_running(battle.campaign, participant)
    asked = battle.turns.count()
    if asked >= battle.campaign.max_turns:
        raise Refused(RefusalCode.TOO_MANY_TURNS)
    _move(battle, Move.TURN)
    return battle, asked + 1


def _move(battle: Battle, move: Move) -> None:
    status = BattleStatus(battle.status)
    try:
        battle.status = states.after(status, move).value
    except IllegalMove:
        closed = status in {BattleStatus.VOTED, BattleStatus.ABANDONED}
        raise Refused(RefusalCode.CLOSED if closed else RefusalCode.NOT_READY) from None
    battle.save(update_fields=["status"])
