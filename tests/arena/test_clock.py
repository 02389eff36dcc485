"""The process's clock, on a loop whose time is virtual."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from arena.clock import SLOWEST_TICK_S, TICK_S, Clock, stretched


def ticks(count: int) -> tuple[list[float], asyncio.Event, Callable[[float], None]]:
    """A hand that notes when it was called, and an event for when it was called so often."""
    found: list[float] = []
    enough = asyncio.Event()

    def hand(now: float) -> None:
        found.append(now)
        if len(found) >= count:
            enough.set()

    return found, enough, hand


async def test_everybody_is_shown_on_the_same_tick_and_the_journal_after_them() -> None:
    order: list[str] = []
    found, enough, hand = ticks(3)
    clock = Clock(after=lambda _: order.append("after"))
    clock.join(lambda now: order.append(f"{now}"))
    clock.join(hand)
    await enough.wait()
    assert order[:6] == [str(found[0]), "after", str(found[1]), "after", str(found[2]), "after"][: len(order)]


async def test_who_waits_for_a_tick_has_done_its_work_when_the_hands_are_called() -> None:
    order: list[str] = []
    _, enough, hand = ticks(3)
    clock = Clock()

    async def reads() -> None:
        while True:
            await clock.tick()
            order.append("read")

    clock.join(lambda _: order.append("shown"))
    clock.join(hand)
    readers = [asyncio.create_task(reads()) for _ in range(2)]
    await enough.wait()
    for each in readers:
        each.cancel()
    assert order[:6] == ["read", "read", "shown"] * 2


async def test_a_clock_without_hands_keeps_no_task_and_goes_on_when_one_joins() -> None:
    clock = Clock()
    _, enough, hand = ticks(1)
    before = asyncio.all_tasks()
    clock.join(hand)
    await enough.wait()
    clock.leave(hand)
    clock.leave(hand)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    _, again, other = ticks(1)
    clock.join(other)
    await again.wait()
    clock.leave(other)


async def test_an_error_of_one_hand_stops_no_other() -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: told.append(str(context["exception"]))
    )
    clock = Clock()
    _, enough, hand = ticks(2)

    def breaks(_: float) -> None:
        raise ValueError("broken")

    clock.join(breaks)
    clock.join(hand)
    await enough.wait()
    assert told[:2] == ["broken", "broken"]
    clock.leave(breaks)
    clock.leave(hand)


@pytest.mark.parametrize(
    ("behind_s", "turns", "tick_s"),
    [
        *((0.0, 1, TICK_S), (0.0, 20, TICK_S), (-1.0, 1, TICK_S), (0.01, 1, 0.05), (0.01, 60, 0.06)),
        *((0.0, 90, 0.09), (0.035, 1, SLOWEST_TICK_S), (9.0, 1, SLOWEST_TICK_S), (0.0, 1000, SLOWEST_TICK_S)),
    ],
)
def test_a_tick_stretches_with_the_load_and_not_for_ever(behind_s: float, turns: int, tick_s: float) -> None:
    assert stretched(behind_s, turns=turns) == pytest.approx(tick_s)


async def test_ticks_that_take_long_come_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    real = asyncio.sleep

    async def noted(delay_s: float) -> None:
        asked.append(delay_s)
        await real(0)

    monkeypatch.setattr("arena.clock.asyncio.sleep", noted)
    now = [0.0]
    monkeypatch.setattr("arena.clock.time.monotonic", lambda: now[0])
    _, enough, hand = ticks(4)

    def slow(at: float) -> None:
        now[0] += 0.02 + TICK_S
        hand(at)

    clock = Clock()
    clock.join(slow)
    await enough.wait()
    clock.leave(slow)
    assert time.monotonic is not None
    assert asked[0] == TICK_S
    assert max(asked) <= SLOWEST_TICK_S
    assert asked[1] == pytest.approx(TICK_S + 2 * 0.02)
