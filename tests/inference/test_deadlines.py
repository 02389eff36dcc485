"""The clock of one stream: one timer, however many waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from inference.providers.clock import Clock
from inference.types import Deadlines

FAR = Deadlines(connect_s=600, first_token_s=600, between_tokens_s=600, total_s=600)
SOON_S = 0.01


async def forever() -> None:
    await asyncio.Event().wait()


async def until_it_is_due(deadline_s: float) -> None:
    """Longer than any deadline that was set before."""
    due = asyncio.Event()
    asyncio.get_running_loop().call_later(2 * deadline_s, due.set)
    await due.wait()


async def test_a_thousand_waits_that_end_in_time_set_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []
    call_at = loop.call_at

    def noted(when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        timers.append(call_at(when, callback))
        return timers[-1]

    monkeypatch.setattr(loop, "call_at", noted)
    clock = Clock(FAR)
    for _ in range(1000):
        async with clock.waiting():
            await asyncio.sleep(0)
        clock.heard()
    assert len(timers) == 1
    clock.stop()
    assert timers[0].cancelled()


@pytest.mark.parametrize("which", ["first_token_s", "total_s"])
async def test_a_wait_past_its_deadline_ends_with_a_timeout(which: str) -> None:
    clock = Clock(replace(FAR, **{which: SOON_S}))
    with pytest.raises(TimeoutError):
        async with clock.waiting():
            await forever()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_the_pause_between_texts_is_shorter_than_the_wait_for_the_first() -> None:
    clock = Clock(replace(FAR, between_tokens_s=SOON_S))
    async with clock.waiting():
        await asyncio.sleep(0)
    clock.heard()
    with pytest.raises(TimeoutError):
        async with clock.waiting():
            await forever()


async def test_a_text_moves_the_deadline_on() -> None:
    """The first one's timer fires while a later wait, which is not due, is under way."""
    clock = Clock(replace(FAR, first_token_s=SOON_S))
    async with clock.waiting():
        await asyncio.sleep(0)
    clock.heard()
    async with clock.waiting():
        await until_it_is_due(SOON_S)
    clock.stop()


async def test_no_deadline_cancels_the_reader_but_the_next_wait_is_over_at_once() -> None:
    clock = Clock(replace(FAR, first_token_s=SOON_S))
    async with clock.waiting():
        await asyncio.sleep(0)
    await until_it_is_due(SOON_S)  # the reader's own work
    with pytest.raises(TimeoutError):
        async with clock.waiting():
            await forever()


async def test_who_is_cancelled_from_outside_is_cancelled() -> None:
    clock, begun = Clock(FAR), asyncio.Event()

    async def wait() -> None:
        async with clock.waiting():
            begun.set()
            await forever()

    task = asyncio.create_task(wait())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    clock.stop()


async def test_an_error_of_the_server_is_itself() -> None:
    clock = Clock(FAR)
    with pytest.raises(ConnectionResetError):
        async with clock.waiting():
            raise ConnectionResetError
    clock.stop()
