"""The runner on its own: what it does when the database, the lease or the readers go away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from channels.db import database_sync_to_async
from django.db import DatabaseError
from pytest_django.fixtures import Settings

from arena.models import Answer
from arena.plan import TurnPlan
from arena.protocol import ServerFrame
from arena.runner import Runner
from arena.services import battles, turns
from arena.types import AnswerStatus, BattleStatus
from inference.types import Delta, Done, FinishReason, GenerationRequest
from tests.arena.builders import make_campaign, make_participant

pytestmark = pytest.mark.django_db(transaction=True)
Stream = Callable[[GenerationRequest], AsyncGenerator[Delta | Done, None]]
Started = Callable[[Stream], Awaitable[tuple[Runner, TurnPlan]]]


async def at_once(request: GenerationRequest) -> AsyncGenerator[Delta | Done, None]:
    yield Delta("Kaixo")
    yield Done(FinishReason.STOP, 2, 1)


async def never(request: GenerationRequest) -> AsyncGenerator[Delta | Done, None]:
    yield Delta("Kai")
    await asyncio.Event().wait()


def planned(runner_id: UUID) -> TurnPlan:
    begun = battles.begin_turn(
        participant_id=make_participant(make_campaign()).pk,
        battle_id=None,
        text="Kaixo",
        key=uuid4(),
        runner_id=runner_id,
    )
    assert begun.plan is not None
    return begun.plan


def statuses(plan: TurnPlan) -> set[str]:
    return set(Answer.objects.filter(turn=plan.turn_id).values_list("status", flat=True))


@pytest.fixture
async def started() -> AsyncIterator[Started]:
    runners: list[Runner] = []

    async def start(stream: Stream) -> tuple[Runner, TurnPlan]:
        runner = Runner(stream)
        runners.append(runner)
        plan = await database_sync_to_async(planned)(runner.id)
        return runner, plan

    yield start
    for runner in runners:
        await runner.drain()


async def frames_of(runner: Runner, plan: TurnPlan) -> list[ServerFrame]:
    live = runner.start(plan)
    return [frame async for frame in live.follow({})]


async def test_a_turn_is_found_while_it_lives_and_stored_at_its_end(started: Started) -> None:
    runner, plan = await started(at_once)
    frames = await frames_of(runner, plan)
    assert frames[-1]["type"] == "state"
    assert frames[-1]["status"] == BattleStatus.READY.value
    assert runner.find(plan.battle_id) is None
    assert await database_sync_to_async(statuses)(plan) == {AnswerStatus.COMPLETE.value}


async def test_a_turn_that_cannot_be_stored_ends_as_interrupted_for_its_readers(
    started: Started,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(**_: object) -> BattleStatus:
        raise DatabaseError("the disk is full")

    runner, plan = await started(at_once)
    monkeypatch.setattr(turns, "finish_turn", refuse)
    frames = await frames_of(runner, plan)
    failed = [frame for frame in frames if frame["type"] == "failed"]
    assert {frame["side"] for frame in failed} == {"A", "B"}
    assert {frame["code"] for frame in failed} == {"interrupted"}
    assert runner.find(plan.battle_id) is None


async def test_draining_stores_what_ran_as_interrupted(started: Started) -> None:
    runner, plan = await started(never)
    live = runner.start(plan)
    async for frame in live.follow({}):
        if frame["type"] == "render":
            break
    await runner.drain()
    assert await database_sync_to_async(statuses)(plan) == {AnswerStatus.INTERRUPTED.value}


async def test_a_battle_that_everybody_left_is_given_up(
    started: Started,
    settings: Settings,
) -> None:
    settings.LEHIA_LEAVE_GRACE_S = 0.04
    runner, plan = await started(never)
    runner.start(plan)
    await asyncio.gather(*runner._tasks)
    assert await database_sync_to_async(statuses)(plan) == {AnswerStatus.INTERRUPTED.value}


@pytest.mark.parametrize("trouble", [None, DatabaseError("gone for a moment")])
async def test_a_lease_that_was_taken_ends_the_turn_and_one_that_could_not_be_checked_does_not(
    started: Started,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception | None,
) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def renew(**_: object) -> set[UUID]:
        loop.call_soon_threadsafe(asked.set)
        if trouble:
            raise trouble
        return set()

    settings.LEHIA_LEAVE_GRACE_S = 3600
    monkeypatch.setattr(turns, "LEASE", turns.LEASE * 0)
    monkeypatch.setattr(turns, "renew_leases", renew)
    runner, plan = await started(never)
    live = runner.start(plan)
    await asked.wait()
    if trouble is None:
        await asyncio.gather(*runner._tasks)
        assert runner.find(plan.battle_id) is None
    else:
        assert runner.find(plan.battle_id) is live


async def test_a_view_interrupts_from_its_thread(started: Started) -> None:
    runner, plan = await started(never)
    runner.start(plan)
    await asyncio.to_thread(runner.interrupt_from_thread, plan.battle_id)
    await asyncio.gather(*runner._tasks)
    assert await database_sync_to_async(statuses)(plan) == {AnswerStatus.INTERRUPTED.value}


async def test_what_is_not_running_can_be_stopped_and_interrupted_without_harm() -> None:
    runner = Runner(never)
    await database_sync_to_async(runner.interrupt_from_thread)(UUID(int=1))
    await runner.stop_anywhere(UUID(int=1))
    assert not runner.stop(UUID(int=1))
    runner.interrupt(UUID(int=1))
    await runner.drain()
