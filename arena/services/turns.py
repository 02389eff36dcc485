"""The answers of a turn: planned, leased to one process, stored in one transaction, reaped when that process dies."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from arena import states
from arena.duel import SideResult
from arena.models import Answer, Battle, Turn
from arena.plan import KeptAnswer, Lease, TurnPlan
from arena.states import Move
from arena.types import AnswerStatus, BattleStatus, Display, FailCode, Side
from inference.models import Candidate
from inference.selectors import target_for, targets_for
from inference.types import (
    GenerationRequest,
    Message,
    Role,
    Sampling,
    SystemPromptMode,
    Target,
    with_system_prompt,
)

LEASE = timedelta(seconds=settings.LEHIA_LEASE_S)
"""How long the turns of a process that died stay its own."""
FORGOTTEN_AFTER = timedelta(hours=24)
_UNENDED = [status.value for status in AnswerStatus if not status.ended]


def status_of(answer: Answer) -> AnswerStatus:
    return AnswerStatus(answer.status)


def lease_for(runner_id: UUID) -> dict[str, Any]:
    """The fields of a turn that *runner_id* answers from now on."""
    return {"runner_id": runner_id, "lease_until": Now() + LEASE}


def _stands() -> Q:
    """Of a turn's lease. Leases are given and looked at by the database's clock, the one that all processes share.

    One that ends far later than any that is given was given before that clock was set back.
    """
    return Q(lease_until__gte=Now(), lease_until__lte=Now() + 2 * LEASE)


def plan_answers(*, battle: Battle, turn: Turn, standing: Mapping[Side, Answer]) -> TurnPlan:
    """Make or reset the answers that are not complete, of a turn that is leased already. *standing* are those it has.

    The battle must be locked by the caller's transaction.
    """
    complete = {
        side: answer for side, answer in standing.items() if status_of(answer) is AnswerStatus.COMPLETE
    }
    attempts = {side: standing[side].attempt if side in standing else 0 for side in Side}
    asked = [side for side in Side if side not in complete]
    targets = targets_for({_candidate(battle, side).pk for side in asked}, uniform=_uniform(battle))
    history = _history(battle, before=turn.index)
    fresh: list[Answer] = []
    requests: dict[Side, GenerationRequest] = {}
    for side in asked:
        candidate, attempts[side] = _candidate(battle, side), attempts[side] + 1
        answer = _pending(
            standing.get(side), turn=turn, side=side, candidate=candidate, target=targets[candidate.pk]
        )
        fresh.append(answer)
        messages = (*history[side], Message(Role.USER, turn.text))
        requests[side] = _request(answer, targets[candidate.pk], messages, battle, candidate)
    _save(fresh)
    kept = {side: KeptAnswer(answer.text, answer.finish_reason) for side, answer in complete.items()}
    return TurnPlan(battle.pk, turn.pk, turn.index, requests, kept, Display(battle.display), attempts)


def ask_again(*, battle: Battle, turn: Turn, side: Side) -> GenerationRequest:
    """Reset one side's answer of a turn under way and ask the candidate who has the side now. The battle must be locked."""
    candidate = _candidate(battle, side)
    target = target_for(candidate.pk, uniform=_uniform(battle))
    answer = _pending(
        turn.answers.get(side=side.value), turn=turn, side=side, candidate=candidate, target=target
    )
    _save([answer])
    messages = (*_history(battle, before=turn.index)[side], Message(Role.USER, turn.text))
    return _request(answer, target, messages, battle, candidate)


def user_of(participant_id: UUID) -> str:
    """Whom the gateway's queue is fair to and whose tokens it counts; it cannot read the name."""
    return participant_id.hex


def _candidate(battle: Battle, side: Side) -> Candidate:
    return battle.candidate_a if side is Side.A else battle.candidate_b


def _uniform(battle: Battle) -> float:
    """One number a battle, so that one server answers the whole of it."""
    return battle.pk.int / 2**128


def renew_leases(*, turn_ids: Collection[UUID], runner_id: UUID) -> set[UUID]:
    """Keep turns for another while. Returns which: not those that were taken away, or whose battle was left. Two queries."""
    kept = Turn.objects.filter(
        pk__in=turn_ids, runner_id=runner_id, battle__status=BattleStatus.ANSWERING.value
    )
    kept.update(lease_until=Now() + LEASE)
    return set(kept.values_list("pk", flat=True))


def standing_leases(leases: Iterable[Lease]) -> set[Lease]:
    """Those that still stand, for a process that hears nothing of another's turns; what ran out is given up on the way."""
    wanted = {lease.turn_id: lease for lease in leases}
    standing = dict(Turn.objects.filter(_stands(), pk__in=wanted).values_list("pk", "runner_id"))
    lapsed = Turn.objects.filter(pk__in=wanted.keys() - standing.keys(), lease_until__isnull=False)
    for turn_id in lapsed.values_list("pk", flat=True):
        reap_turn(turn_id)
    return {lease for lease in wanted.values() if standing.get(lease.turn_id) == lease.runner_id}


def finish_turn(*, turn_id: UUID, runner_id: UUID, results: Iterable[SideResult]) -> BattleStatus | None:
    """Store how the sides ended; the battle becomes votable when both of its last turn are complete.

    One transaction, the battle locked. A runner whose lease was taken away changes nothing and gets ``None``.
    """
    with transaction.atomic():
        battle = Battle.objects.select_for_update().get(turns=turn_id)
        turn = Turn.objects.get(pk=turn_id)
        if turn.runner_id != runner_id:
            return None
        now = timezone.now()
        answers = {Side(answer.side): answer for answer in turn.answers.all()}
        for result in results:
            _store(answers[result.side], result, now)
        turn.runner_id = turn.lease_until = None
        turn.save(update_fields=["runner_id", "lease_until"])
        return _settle(battle, answers.values())


def reap_turns() -> int:
    """Give up what nobody ends: turns whose lease ran out or is gone while answers are open, and battles nobody came back to.

    Returns how many turns.
    """
    now = timezone.now()
    orphans = Turn.objects.filter(lease_until=None, answers__status__in=_UNENDED).distinct()
    ownerless = [*Turn.objects.exclude(lease_until=None).exclude(_stands()), *orphans]
    reaped = sum(reap_turn(turn.pk) for turn in ownerless)
    Battle.objects.filter(
        status__in=[BattleStatus.OPEN.value, BattleStatus.READY.value, BattleStatus.ANSWERING.value],
        created_at__lt=now - FORGOTTEN_AFTER,
    ).exclude(turns__created_at__gte=now - FORGOTTEN_AFTER).update(
        status=BattleStatus.ABANDONED.value, ended_at=now
    )
    return reaped


def reap_turn(turn_id: UUID) -> bool:
    """Interrupt a turn's open answers unless a lease holds; whether there was anything to give up. Locks the battle."""
    with transaction.atomic():
        battle = Battle.objects.select_for_update().get(turns=turn_id)
        turn = Turn.objects.get(pk=turn_id)
        if Turn.objects.filter(_stands(), pk=turn_id).exists():
            return False
        now = timezone.now()
        interrupted = turn.answers.filter(status__in=_UNENDED).update(
            status=AnswerStatus.INTERRUPTED.value, error_code=FailCode.INTERRUPTED.value, finished_at=now
        )
        held = turn.runner_id is not None
        turn.runner_id = turn.lease_until = None
        turn.save(update_fields=["runner_id", "lease_until"])
        _settle(battle, turn.answers.all())
        return held or interrupted > 0


def _settle(battle: Battle, answers: Iterable[Answer]) -> BattleStatus:
    status = BattleStatus(battle.status)
    if status is BattleStatus.ANSWERING and states.both_complete(map(status_of, answers)):
        status = states.after(status, Move.FINISH)
        battle.status = status.value
        battle.save(update_fields=["status"])
    return status


def _pending(
    answer: Answer | None, *, turn: Turn, side: Side, candidate: Candidate, target: Target
) -> Answer:
    """A fresh answer, or the failed one reset for another attempt with a new seed; not stored yet."""
    attempt = 1 if answer is None else answer.attempt + 1
    fresh = Answer(
        turn=turn,
        side=side.value,
        endpoint_id=target.endpoint_id,
        attempt=attempt,
        temperature=candidate.temperature,
        top_p=candidate.top_p,
        max_tokens=candidate.max_tokens,
        stop=candidate.stop,
        seed=secrets.randbelow(2**31),
    )
    if answer is not None:
        fresh.pk = answer.pk
        fresh._state.adding = False
    return fresh


def _save(answers: Iterable[Answer]) -> None:
    new: list[Answer] = []
    for answer in answers:
        if answer._state.adding:
            new.append(answer)
        else:
            answer.save(force_update=True)
    if new:
        Answer.objects.bulk_create(new)


def _request(
    answer: Answer, target: Target, messages: tuple[Message, ...], battle: Battle, candidate: Candidate
) -> GenerationRequest:
    mode = SystemPromptMode(candidate.system_prompt_mode)
    return GenerationRequest(
        target=target,
        messages=with_system_prompt(messages, battle.system_prompt, mode),
        sampling=Sampling(
            temperature=answer.temperature,
            top_p=answer.top_p,
            max_tokens=answer.max_tokens,
            seed=answer.seed,
            stop=tuple(answer.stop),
        ),
        request_id=f"{answer.pk}-{answer.attempt}",
        user=user_of(battle.participant_id),
    )


def _history(battle: Battle, *, before: int) -> dict[Side, tuple[Message, ...]]:
    messages: dict[Side, list[Message]] = {side: [] for side in Side}
    if before == 1:
        return dict.fromkeys(Side, ())
    for turn in battle.turns.filter(index__lt=before).prefetch_related("answers"):
        for answer in turn.answers.all():
            messages[Side(answer.side)] += [
                Message(Role.USER, turn.text),
                Message(Role.ASSISTANT, answer.text),
            ]
    return {side: tuple(each) for side, each in messages.items()}


def _store(answer: Answer, result: SideResult, now: datetime) -> None:
    answer.status = result.status.value
    answer.text = result.text.replace("\x00", "\ufffd")
    answer.reasoning = result.reasoning.replace("\x00", "\ufffd")
    answer.finish_reason = result.reason
    answer.error_code = result.code
    answer.prompt_tokens = result.prompt_tokens
    answer.completion_tokens = result.completion_tokens
    answer.queued_ms = result.queued_ms
    answer.first_token_ms = result.first_token_ms
    answer.duration_ms = result.duration_ms
    answer.finished_at = now
    answer.save()
