"""Judging without model servers: stored pairs of answers are given to other volunteers."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from arena.controls import ControlKind, corrupted
from arena.errors import Refused
from arena.models import Answer, Battle, Campaign, Control, Participant, Prompt, SetAnswer, Turn, Vote
from arena.selectors import judging
from arena.selectors.judging import Least
from arena.services.battles import abandon, check_running, consenting
from arena.types import AnswerStatus, BattleSource, BattleStatus, RefusalCode, Side
from ranking.types import Outcome

POLICY = "least-judged-1"
"""All pairs that were judged least often, with equal chances; sides are swapped in every other copy, first of all in the first."""
_KEPT = (
    *("endpoint_id", "status", "text", "finish_reason", "temperature", "top_p", "max_tokens", "stop", "seed"),
    *("prompt_tokens", "completion_tokens"),
)
"""What a copy of an answer takes over, whether it was given in a battle or to a prompt set."""
_Made = tuple[Battle, list[Answer]]
_SPOILT = 0.7
"""Of the control pairs whose answer is long enough: these show one side in disorder, the others the same answer twice."""


def give_pair(*, participant_id: UUID | None, campaign: Campaign) -> Battle:
    """The pair that the participant has open, or a new one: a battle of its own, whose texts are copies.

    Locks the participant, so that nobody is given two. Raises ``Refused``: without consent, while the campaign does not run, or where nothing is left.
    """
    with transaction.atomic():
        participant = consenting(participant_id, campaign)
        check_running(campaign, participant)
        standing = judging.standing_pair(participant, campaign)
        if standing is not None:
            if judging.may_be_shown(standing):
                return standing
            abandon(participant_id=participant.pk, battle_id=standing.pk)
        if judging.given_within_an_hour(participant) >= campaign.votes_per_hour:
            raise Refused(RefusalCode.TOO_MANY_BATTLES)
        drawn = _draw(participant, campaign)
    if drawn is None:
        raise Refused(RefusalCode.NOTHING_TO_JUDGE)  # out here, so that what was left stays left
    return drawn


def _draw(participant: Participant, campaign: Campaign) -> Battle | None:
    """From earlier battles or from prompt sets, with equal chances where both have any; ``None`` where neither has. Three queries, and the copies."""
    battles = judging.least_judged(judging.to_judge(participant, campaign))
    prompts = judging.least_judged_prompts(judging.prompts_to_judge(participant, campaign))
    if not battles.n and not prompts.n:
        return None
    seed = secrets.randbits(63)
    rng = random.Random(seed)  # noqa: S311  # a seeded, replayable draw; the seed itself is secret-grade
    chance = 0.5 if battles.n and prompts.n else 1.0
    if battles.n and (not prompts.n or rng.random() < chance):
        made = _of_battle(battles, participant, rng, _Drawn(seed, chance / battles.n))
    else:
        made = _of_prompt(prompts, participant, campaign, rng, _Drawn(seed, chance / prompts.n))
    if made is None:
        return None  # taken back at this moment
    pair, answers = made
    if rng.random() < campaign.control_rate:
        _made_control(pair, answers, rng).save(force_insert=True)
    Answer.objects.bulk_create(answers)
    return pair


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The seed of a draw, and the probability of what was drawn by it."""

    seed: int
    propensity: float


def _of_battle(
    battles: Least[Battle], participant: Participant, rng: random.Random, drawn: _Drawn
) -> _Made | None:
    """A copy of one of these battles; every other one has its sides swapped."""
    origin, swaps = battles.at(rng.randrange(battles.n)), battles.given % 2 == 0
    if origin is None:
        return None
    pair = _copy(origin, participant, swaps=swaps, drawn=drawn)
    return pair, _answers(origin, pair, swaps=swaps)


def _of_prompt(
    prompts: Least[Prompt], participant: Participant, campaign: Campaign, rng: random.Random, drawn: _Drawn
) -> _Made | None:
    """Two of the candidates that answered one of these prompts, on either side with equal chances."""
    prompt = prompts.at(rng.randrange(prompts.n))
    if prompt is None:
        return None
    complete = prompt.answers.filter(status=AnswerStatus.COMPLETE.value).order_by("candidate__code")
    found = list(complete)
    a, b = rng.sample(found, 2)
    both = [a.candidate_id, b.candidate_id]
    alike = prompt.battles.filter(candidate_a__in=both, candidate_b__in=both, twin=None, control__isnull=True)
    pair = Battle.objects.create(
        campaign=campaign,
        participant=participant,
        source=BattleSource.PROMPT_SET.value,
        prompt=prompt,
        twin=alike.order_by("created_at").first(),
        status=BattleStatus.READY.value,
        candidate_a_id=a.candidate_id,
        candidate_b_id=b.candidate_id,
        system_prompt=prompt.prompt_set.system_prompt,
        display=campaign.display,
        policy=POLICY,
        propensity=drawn.propensity / (len(found) * (len(found) - 1)),
        draw_seed=drawn.seed,
    )
    turn = Turn.objects.create(battle=pair, index=1, text=prompt.text, key=uuid4())
    return pair, [_of_set(a, turn, Side.A), _of_set(b, turn, Side.B)]


def _of_set(said: SetAnswer, turn: Turn, side: Side) -> Answer:
    now = timezone.now()
    return Answer(
        turn=turn,
        side=side.value,
        started_at=now,
        finished_at=now,
        **{name: getattr(said, name) for name in _KEPT},
    )


def _copy(origin: Battle, participant: Participant, *, swaps: bool, drawn: _Drawn) -> Battle:
    a, b = origin.candidate_a_id, origin.candidate_b_id
    return Battle.objects.create(
        campaign_id=origin.campaign_id,
        participant=participant,
        source=BattleSource.REJUDGED.value,
        origin=origin,
        status=BattleStatus.READY.value,
        candidate_a_id=b if swaps else a,
        candidate_b_id=a if swaps else b,
        system_prompt=origin.system_prompt,
        display=origin.display,
        policy=POLICY,
        propensity=drawn.propensity,
        draw_seed=drawn.seed,
    )


def _answers(origin: Battle, pair: Battle, *, swaps: bool) -> list[Answer]:
    """Stores copies of the turns; returns those of their answers, in the order of the turns, not stored yet."""
    turns = {turn.index: turn for turn in origin.turns.prefetch_related("answers")}
    copies = Turn.objects.bulk_create(
        Turn(
            battle=pair,
            index=turn.index,
            text=turn.text,
            key=uuid4(),
            language=turn.language,
            basque_share=turn.basque_share,
        )
        for turn in turns.values()
    )
    answers = [_again(each, copy, swaps=swaps) for copy in copies for each in turns[copy.index].answers.all()]
    now = timezone.now()
    for answer in answers:
        answer.started_at = answer.finished_at = now  # from here on it can be read
    return answers


def _made_control(pair: Battle, answers: list[Answer], rng: random.Random) -> Control:
    """Make the pair a control, changing the answers where its kind asks for that."""
    bad = set(pair.campaign.known_bad.values_list("pk", flat=True))
    worse = Side.A if pair.candidate_a_id in bad else Side.B
    if (pair.candidate_a_id in bad) != (pair.candidate_b_id in bad) and not _was_preferred(pair, worse):
        return Control(battle=pair, kind=ControlKind.KNOWN_BAD.value, worse=worse.value)
    kept = rng.choice(list(Side))
    mixed = corrupted(next(each.text for each in reversed(answers) if each.side == kept), rng.getrandbits(63))
    spoils = mixed is not None and rng.random() < _SPOILT
    _say_the_same(answers, kept)
    if not spoils:
        return Control(battle=pair, kind=ControlKind.IDENTICAL.value)
    worse = rng.choice(list(Side))
    next(each for each in reversed(answers) if each.side == worse).text = mixed or ""
    return Control(battle=pair, kind=ControlKind.CORRUPTED.value, worse=worse.value)


def _was_preferred(pair: Battle, side: Side) -> bool:
    """Whether the volunteer who asked for it preferred this side's candidate, which may have written better for once."""
    vote = Vote.objects.filter(battle=pair.origin_id).select_related("battle").first()
    if vote is None or vote.winner not in {Outcome.A_BETTER.value, Outcome.B_BETTER.value}:
        return False
    won = vote.battle.candidate_a_id if vote.winner == Outcome.A_BETTER.value else vote.battle.candidate_b_id
    return won == (pair.candidate_a_id if side is Side.A else pair.candidate_b_id)


def _say_the_same(answers: list[Answer], kept: Side) -> None:
    """The other side says what *kept* says, turn by turn."""
    said = {each.turn_id: each for each in answers if each.side == kept}
    for each in answers:
        model = said[each.turn_id]
        each.text, each.finish_reason = model.text, model.finish_reason
        each.reasoning = model.reasoning
        each.language, each.basque_share = model.language, model.basque_share


def _again(answer: Answer, turn: Turn, *, swaps: bool) -> Answer:
    """The same answer, without the times of its making."""
    side = Side(answer.side)
    kept = (*_KEPT, "reasoning", "error_code", "language", "basque_share")
    return Answer(
        turn=turn,
        side=(side.other if swaps else side).value,
        **{name: getattr(answer, name) for name in kept},
    )
