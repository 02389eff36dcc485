"""Judging without model servers: stored pairs of answers are given to other volunteers."""

from __future__ import annotations

import random
import secrets
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from arena.errors import Refused
from arena.models import Answer, Battle, Campaign, Participant, Turn
from arena.selectors import judging
from arena.services.battles import abandon, check_running, consenting
from arena.types import BattleSource, BattleStatus, RefusalCode, Side

POLICY = "least-judged-1"
"""All pairs that were judged least often, with equal chances; sides are swapped in every other copy, first of all in the first."""


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
        drawn = _draw(participant, campaign)
    if drawn is None:
        raise Refused(RefusalCode.NOTHING_TO_JUDGE)  # out here, so that what was left stays left
    return drawn


def _draw(participant: Participant, campaign: Campaign) -> Battle | None:
    """Three queries, and the copies; ``None`` where nothing waits."""
    fewest, alike = judging.least_judged(judging.to_judge(participant, campaign))
    if not alike:
        return None
    seed = secrets.randbits(63)
    place = random.Random(seed).randrange(len(alike))  # noqa: S311  # a seeded, replayable draw; the seed itself is secret-grade
    origin = Battle.objects.get(pk=alike[place])
    return _copy(origin, participant, swaps=fewest % 2 == 0, propensity=1 / len(alike), seed=seed)


def _copy(origin: Battle, participant: Participant, *, swaps: bool, propensity: float, seed: int) -> Battle:
    a, b = origin.candidate_a_id, origin.candidate_b_id
    battle = Battle.objects.create(
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
        propensity=propensity,
        draw_seed=seed,
    )
    now = timezone.now()
    answers: list[Answer] = []
    turns = {turn.index: turn for turn in origin.turns.prefetch_related("answers")}
    copies = Turn.objects.bulk_create(
        Turn(
            battle=battle,
            index=turn.index,
            text=turn.text,
            key=uuid4(),
            language=turn.language,
            basque_share=turn.basque_share,
        )
        for turn in turns.values()
    )
    for copy in copies:
        answers += [_again(each, copy, swaps=swaps) for each in turns[copy.index].answers.all()]
    for answer in answers:
        answer.started_at = answer.finished_at = now  # from here on it can be read
    Answer.objects.bulk_create(answers)
    return battle


def _again(answer: Answer, turn: Turn, *, swaps: bool) -> Answer:
    """The same answer, without the times of its making."""
    side = Side(answer.side)
    return Answer(
        turn=turn,
        side=(side.other if swaps else side).value,
        endpoint_id=answer.endpoint_id,
        status=answer.status,
        text=answer.text,
        reasoning=answer.reasoning,
        finish_reason=answer.finish_reason,
        error_code=answer.error_code,
        temperature=answer.temperature,
        top_p=answer.top_p,
        max_tokens=answer.max_tokens,
        stop=answer.stop,
        seed=answer.seed,
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        language=answer.language,
        basque_share=answer.basque_share,
    )
