"""Two runners that share the database and Valkey, as two processes do: what one answers, the other shows, stops and inherits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from datetime import timedelta
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone
from pytest_django.fixtures import Settings

from arena import mirror, runner
from arena.models import Answer, Turn
from arena.plan import Lease, TurnPlan
from arena.runner import Runner
from arena.selectors.battles import lease_of
from arena.services import battles, turns
from arena.types import Side
from inference.types import Delta, Done, FinishReason, GenerationRequest
from tests.arena.builders import make_campaign, make_participant
from tests.arena.test_runner import statuses
from tests.arena.test_socket import Page, cookie_of, is_kind, is_state
from tests.arena.turns import Events, PageSide, followed, html_of, of_kind, until
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


class Model:
    """Answers of two words; the second waits for the gate."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.live = 0

    async def __call__(self, request: GenerationRequest) -> Events:
        self.live += 1
        try:
            yield Delta("Kaixo.\n\nEgun\n")
            await self.gate.wait()
            yield Delta("on.\n")
            yield Done(FinishReason.STOP, 2, 4)
        finally:
            self.live -= 1


class Two:
    """The process that answers and another one."""

    def __init__(self) -> None:
        self.model = Model()
        self.owner, self.other = Runner(self.model), Runner(self.model)
        self.plan: TurnPlan

    async def begin(self) -> Lease:
        self.plan = await database_sync_to_async(self._planned)()
        self.owner.start(self.plan)
        lease = await database_sync_to_async(lease_of)(self.plan.battle_id)
        assert lease is not None
        return lease

    def _planned(self) -> TurnPlan:
        self.volunteer = make_participant(make_campaign())
        begun = battles.begin_turn(
            participant_id=self.volunteer.pk,
            battle_id=None,
            text="Kaixo",
            key=uuid4(),
            runner_id=self.owner.id,
        )
        assert begun.plan is not None
        return begun.plan

    async def page(self) -> Page:
        """A page of the other process, which resumes the battle from nothing."""
        page = Page(await database_sync_to_async(cookie_of)(self.volunteer))
        assert await page.open()
        await page.say("resume", battle=str(self.plan.battle_id), offsets={"A": 0, "B": 0})
        return page

    async def die(self) -> None:
        """As after ``kill -9``: nothing more is stored or written, and in time the lease runs out."""
        self.owner._journal._logs.clear()
        for task in [*self.owner._tasks, self.owner._keeper]:
            assert task is not None
            task.cancel()
        self.owner._ways.clear()
        await asyncio.gather(*self.owner._tasks, return_exceptions=True)
        await database_sync_to_async(expire)(self.plan)

    async def close(self) -> None:
        for each in (self.owner, self.other):
            await each.drain()


def expire(plan: TurnPlan) -> None:
    Turn.objects.filter(pk=plan.turn_id).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
async def two(valkey: Valkey, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    settings.REDIS_URL = valkey.url
    monkeypatch.setattr(mirror, "SILENCE_S", 0.1)
    made = Two()
    monkeypatch.setattr(runner, "_runner", made.other)
    yield made
    await made.close()


async def test_both_processes_show_the_same(two: Two) -> None:
    lease = await two.begin()
    here, there = two.owner.find(two.plan.battle_id), two.other.mirror(lease)
    assert here is not None
    pages = [asyncio.create_task(followed(live)) for live in (here, there, two.other.mirror(lease))]
    await until(there.follow({}), of_kind("render"))
    two.model.gate.set()
    seen = [await page for page in pages]
    for side in Side:
        assert {html_of(frames, side) for frames in seen} == {"<p>Kaixo.</p>\n<p>Egun\non.</p>\n"}
    assert [frames[-1] for frames in seen] == [seen[0][-1]] * 3
    assert seen[0][-1]["status"] == "ready"


async def test_a_mirror_that_is_joined_late_and_from_where_the_page_was_repeats_nothing(two: Two) -> None:
    lease = await two.begin()
    here = two.owner.find(two.plan.battle_id)
    assert here is not None
    page = {side: PageSide(side) for side in Side}
    first = await until(here.follow({}), lambda frame: frame["type"] == "render" and bool(frame["sealed"]))
    for side in Side:
        page[side].after(first)
    two.model.gate.set()
    rest = await followed(two.other.mirror(lease), {side: len(page[side].sealed) for side in Side})
    for side in Side:
        assert page[side].after(rest) == "<p>Kaixo.</p>\n<p>Egun\non.</p>\n"


async def test_a_mirror_that_looks_just_as_the_turn_ends_shows_what_was_written_last(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = await two.begin()
    live = two.other.mirror(lease)
    await until(live.follow({}), of_kind("render"))

    async def ended(_: Iterable[Lease]) -> set[Lease]:
        two.model.gate.set()
        await asyncio.gather(*two.owner._tasks)
        await two.owner.drain()  # all is written
        return set()

    monkeypatch.setattr(two.other._mirrors, "_standing", ended)
    frames = await followed(live)
    assert [frame["reason"] for frame in frames if frame["type"] == "done"] == ["stop", "stop"]


async def test_a_stop_in_another_process_stops_both_sides(two: Two) -> None:
    await two.begin()
    page = await two.page()
    await page.until(is_kind("render"))
    await page.say("stop")
    frames = await page.until(is_state("ready"))
    assert {frame["reason"] for frame in frames if frame["type"] == "done"} == {"stopped"}
    assert two.model.live == 0
    await page.close()


async def test_leaving_a_battle_in_another_process_cancels_upstream(two: Two) -> None:
    await two.begin()
    page = await two.page()
    await page.until(is_kind("render"))

    def leave() -> None:
        battles.abandon(participant_id=two.volunteer.pk, battle_id=two.plan.battle_id)
        two.other.interrupt_from_thread(two.plan.battle_id)

    await database_sync_to_async(leave)()
    await page.until(is_state("abandoned"))
    assert two.model.live == 0
    await page.close()


async def test_a_battle_followed_in_another_process_only_is_not_given_up(
    two: Two, settings: Settings
) -> None:
    settings.LEHIA_LEAVE_GRACE_S = 0.8
    lease = await two.begin()
    live = two.other.mirror(lease)
    async with aclosing(live.follow({})) as frames:
        await until(frames, of_kind("render"))
        way = two.owner._ways[two.plan.battle_id]
        begun = way.seen
        while way.seen - begun < 2 * settings.LEHIA_LEAVE_GRACE_S:
            await asyncio.sleep(0.05)
            assert two.model.live == 2
    await asyncio.gather(*two.owner._tasks)
    assert await database_sync_to_async(statuses)(two.plan) == {"interrupted"}


async def test_when_its_process_dies_the_sides_are_interrupted_and_retried_elsewhere(two: Two) -> None:
    await two.begin()
    page = await two.page()
    panes = {side: PageSide(side) for side in Side}
    await page.until(lambda frame: frame["type"] == "render" and bool(frame["sealed"]))
    await two.die()
    failed = [(await page.until(is_kind("failed")))[-1] for _ in Side]
    assert {frame["code"] for frame in failed} == {"interrupted"}
    assert await database_sync_to_async(turns.reap_turns)() == 0
    two.model.gate.set()
    await page.say("retry", side="A")
    frames = await page.until(is_state("ready"))
    for side in Side:
        assert panes[side].after(frames) == "<p>Kaixo.</p>\n<p>Egun\non.</p>\n"
    assert await database_sync_to_async(attempts)(two.plan) == {2}
    await page.close()


def attempts(plan: TurnPlan) -> set[int]:
    return set(Answer.objects.filter(turn=plan.turn_id).values_list("attempt", flat=True))


async def test_without_valkey_the_other_process_shows_the_end_from_the_database(
    two: Two, valkey: Valkey
) -> None:
    valkey.stop()
    try:
        await two.begin()
        page = await two.page()
        assert (await page.next())["status"] == "answering"
        two.model.gate.set()
        frames = await page.until(is_state("ready"))
        frames += [await page.next() for _ in range(4)]
        for side in Side:
            assert html_of(frames, side) == "<p>Kaixo.</p>\n<p>Egun\non.</p>\n"
        await page.close()
    finally:
        valkey.start()


async def test_a_page_that_asks_between_the_lease_and_the_first_beat_waits_for_it(two: Two) -> None:
    plan = await database_sync_to_async(two._planned)()
    two.plan = plan
    page = await two.page()
    two.model.gate.set()
    two.owner.start(plan)
    frames = await page.until(is_state("ready"))
    assert html_of(frames, Side.A) == "<p>Kaixo.</p>\n<p>Egun\non.</p>\n"
    await page.close()


async def test_an_unfollowed_mirror_is_let_go(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "_UNFOLLOWED_S", 0.0)
    lease = await two.begin()
    live = two.other.mirror(lease)
    task = two.other._mirrors._task
    assert task is not None
    await task
    assert live.lost
    assert two.other.mirror(lease) is not live
