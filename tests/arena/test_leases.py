"""Who answers a turn, for how long, and what becomes of it when that process dies."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from arena.models import Answer, Battle, Participant, Turn
from arena.plan import Lease
from arena.selectors.battles import lease_of
from arena.services import battles, turns
from arena.types import Side
from tests.arena.builders import RUNNER, begin, complete, failed, finish, make_campaign, make_participant

pytestmark = pytest.mark.django_db


@pytest.fixture
def volunteer() -> Participant:
    return make_participant(make_campaign())


def expire(turn: Turn) -> None:
    Turn.objects.filter(pk=turn.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def lease(turn: Turn) -> Lease:
    found = lease_of(turn.battle_id)
    assert found is not None
    return found


def renewed(*turn_list: Turn) -> set[object]:
    return set(turns.renew_leases(turn_ids=[turn.pk for turn in turn_list], runner_id=RUNNER))


def test_leases_are_renewed_together_and_only_while_their_battles_are_answered(
    volunteer: Participant,
) -> None:
    kept, left, taken = begin(volunteer), begin(volunteer), begin(volunteer)
    before = timezone.now()
    Turn.objects.update(lease_until=before)
    battles.abandon(participant_id=volunteer.pk, battle_id=left.battle_id)
    Turn.objects.filter(pk=taken.pk).update(runner_id=uuid4())
    assert renewed(kept, left, taken) == {kept.pk}
    kept.refresh_from_db()
    assert kept.lease_until is not None
    assert kept.lease_until > before


def test_a_lease_tells_who_answers_and_which_attempts(volunteer: Participant) -> None:
    turn = begin(volunteer)
    found = lease(turn)
    assert (found.turn_id, found.runner_id, found.turn_index) == (turn.pk, RUNNER, 1)
    assert found.attempts == {Side.A: 1, Side.B: 1}
    finish(turn, complete(Side.A), failed(Side.B))
    assert lease_of(turn.battle_id) is None
    plan = battles.retry_side(
        participant_id=volunteer.pk, battle_id=turn.battle_id, side=Side.B, runner_id=RUNNER
    )
    assert lease(turn).attempts == plan.attempts == {Side.A: 1, Side.B: 2}


def test_a_lease_stands_until_it_is_over_taken_or_run_out() -> None:
    make_campaign()
    stands, over, taken, dead = (begin(make_participant()) for _ in range(4))
    leases = {turn.pk: lease(turn) for turn in (stands, over, taken, dead)}
    finish(over)
    Turn.objects.filter(pk=taken.pk).update(runner_id=uuid4())
    expire(dead)
    assert turns.standing_leases(leases.values()) == {leases[stands.pk]}


def test_a_lease_found_run_out_is_given_up_so_that_its_sides_can_be_retried(volunteer: Participant) -> None:
    turn = begin(volunteer)
    found = lease(turn)
    expire(turn)
    assert turns.standing_leases([found]) == set()
    assert set(Answer.objects.values_list("status", "error_code")) == {("interrupted", "interrupted")}
    plan = battles.retry_side(
        participant_id=volunteer.pk, battle_id=turn.battle_id, side=Side.A, runner_id=uuid4()
    )
    assert set(plan.requests) == set(Side)
    assert turns.reap_turns() == 0


def test_the_reaper_gives_up_turns_that_nobody_leases_though_answers_are_open(volunteer: Participant) -> None:
    orphan, stands = begin(volunteer), begin(volunteer)
    Turn.objects.filter(pk=orphan.pk).update(runner_id=None, lease_until=None)
    Answer.objects.filter(turn=orphan, side="A").update(status="streaming")
    assert turns.reap_turns() == 1
    assert set(orphan.answers.values_list("status", flat=True)) == {"interrupted"}
    assert set(stands.answers.values_list("status", flat=True)) == {"pending"}
    assert turns.reap_turns() == 0


def test_the_reaper_keeps_a_side_that_had_ended_and_never_opens_a_battle_that_was_left(
    volunteer: Participant,
) -> None:
    turn = begin(volunteer)
    Answer.objects.filter(turn=turn, side="A").update(status="complete", text="Kaixo", finish_reason="stop")
    battles.abandon(participant_id=volunteer.pk, battle_id=turn.battle_id)
    expire(turn)
    assert turns.reap_turns() == 1
    assert list(turn.answers.order_by("side").values_list("status", flat=True)) == ["complete", "interrupted"]
    assert Battle.objects.get(pk=turn.battle_id).status == "abandoned"


def test_a_turn_whose_sides_had_both_ended_becomes_votable_when_it_is_reaped(volunteer: Participant) -> None:
    turn = begin(volunteer)
    Answer.objects.filter(turn=turn).update(status="complete", text="Kaixo", finish_reason="stop")
    expire(turn)
    turns.reap_turns()
    assert Battle.objects.get(pk=turn.battle_id).status == "ready"


def test_a_lease_goes_by_the_databases_clock(volunteer: Participant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose clock is an hour ahead keeps its turns no longer than others when it dies."""
    now = timezone.now
    with monkeypatch.context() as ahead:
        ahead.setattr(timezone, "now", lambda: now() + timedelta(hours=1))
        turn = begin(volunteer)
        assert turns.standing_leases([lease(turn)])
    turn.refresh_from_db()
    assert turn.lease_until is not None
    assert turn.lease_until <= now() + turns.LEASE
    assert turns.standing_leases([lease(turn)])


def test_a_lease_from_before_the_clock_was_set_back_is_nobodys(volunteer: Participant) -> None:
    turn = begin(volunteer)
    Turn.objects.filter(pk=turn.pk).update(lease_until=timezone.now() + timedelta(hours=1))
    assert turns.reap_turns() == 1
    assert set(turn.answers.values_list("status", flat=True)) == {"interrupted"}
