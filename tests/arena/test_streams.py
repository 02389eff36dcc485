"""Turns in Valkey: written in one round trip a tick, and never at a battle's cost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis.asyncio

from arena import beats, streams
from arena.beats import Beat, Change
from arena.live import LiveTurn
from arena.streams import Journal, Log, Order
from arena.types import BattleStatus, Side
from tests.arena.turns import followed, html_of, new_turn
from tests.valkey import Valkey, running

RUNNER = UUID(int=9)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@pytest.fixture
async def reader(valkey: Valkey) -> AsyncIterator[redis.asyncio.Redis]:
    client = streams.client(valkey.url)
    await client.flushall()
    yield client
    await client.aclose()


class Writer:
    """A turn of side A and its stream."""

    def __init__(self, journal: Journal) -> None:
        self.turn = uuid4()
        self.text = ""
        self.status: BattleStatus | None = None
        self.journal = journal
        self.log: Log = journal.open(self.turn, self.whole)

    def whole(self) -> Beat:
        return Beat(Change(1, 0, self.text), Change(1, 0), status=self.status)

    def say(self, text: str) -> None:
        self.journal.add(self.log, Beat(Change(1, len(self.text), text)))
        self.text += text

    def end(self) -> None:
        self.status = BattleStatus.READY
        self.journal.add(self.log, self.whole())
        self.journal.close(self.log)

    async def read(self, reader: redis.asyncio.Redis) -> list[Beat]:
        entries: Any = await reader.xrange(streams.turn_key(self.turn, RUNNER))
        return [beats.decode(fields[streams.FIELD]) for _, fields in entries]

    async def html(self, reader: redis.asyncio.Redis) -> str:
        """What a page of another process shows of it."""
        live: LiveTurn = new_turn()
        for beat in await self.read(reader):
            live.take(beat)
        assert live.ended
        live.flush()
        return html_of(await followed(live), Side.A)


@pytest.fixture
async def obeyed() -> list[tuple[Order, UUID]]:
    return []


@pytest.fixture
async def journal(valkey: Valkey, obeyed: list[tuple[Order, UUID]]) -> AsyncIterator[Journal]:
    made = Journal(valkey.url, RUNNER, lambda order, battle: obeyed.append((order, battle)))
    yield made
    await made.settle()


async def written(journal: Journal) -> None:
    """A tick, and the end of what it wrote."""
    journal.tick(time.monotonic())
    if journal._task is not None:
        await journal._task


async def test_what_was_shown_is_read_elsewhere_to_its_end(
    journal: Journal, reader: redis.asyncio.Redis
) -> None:
    turn = Writer(journal)
    for word in ("Bat", "\n\n", "Bi"):
        turn.say(word)
        await written(journal)
    turn.end()
    await journal.settle()
    assert len(await turn.read(reader)) == 4
    assert await turn.html(reader) == "<p>Bat</p>\n<p>Bi</p>\n"


async def test_all_turns_of_a_tick_go_in_one_round_trip(
    journal: Journal, reader: redis.asyncio.Redis
) -> None:
    turns = [Writer(journal) for _ in range(60)]
    await written(journal)
    before = (await reader.info("stats"))["total_reads_processed"]
    for _ in range(5):
        for turn in turns:
            turn.say("hitza ")
        await written(journal)
    after = (await reader.info("stats"))["total_reads_processed"]
    assert after - before <= 5 + 1  # and the question itself
    assert {len(await turn.read(reader)) for turn in turns} == {6}


async def test_a_turn_is_forgotten_a_minute_after_it_is_stored(
    journal: Journal, reader: redis.asyncio.Redis
) -> None:
    turn = Writer(journal)
    turn.say("Kaixo")
    await written(journal)
    assert await reader.ttl(streams.turn_key(turn.turn, RUNNER)) > 600
    turn.end()
    await journal.settle()
    assert 0 < await reader.ttl(streams.turn_key(turn.turn, RUNNER)) <= 60


async def test_a_turn_that_is_asked_again_begins_its_stream_again(
    journal: Journal, reader: redis.asyncio.Redis
) -> None:
    turn = Writer(journal)
    turn.say("lehena")
    turn.end()
    again = Writer(journal)
    again.turn = turn.turn
    again.log.key = turn.log.key
    again.say("bigarrena")
    await written(journal)
    again.end()
    await journal.settle()
    assert await again.html(reader) == "<p>bigarrena</p>\n"


async def test_orders_of_other_processes_are_obeyed_once(
    journal: Journal, reader: redis.asyncio.Redis, valkey: Valkey, obeyed: list[tuple[Order, UUID]]
) -> None:
    battle = uuid4()
    assert await streams.send_order(reader, RUNNER, Order.STOP, battle)
    assert await asyncio.to_thread(streams.send_order_from_thread, valkey.url, RUNNER, Order.LEAVE, battle)
    assert await streams.send_order(reader, uuid4(), Order.STOP, battle)
    for _ in range(2):
        journal._next_poll = 0.0
        await written(journal)
    assert obeyed == [(Order.STOP, battle), (Order.LEAVE, battle)]


async def test_orders_to_nowhere_are_told_so() -> None:
    nowhere = streams.client("unix:///nirgendwo/valkey.sock")
    assert not await streams.send_order(nowhere, RUNNER, Order.STOP, uuid4())
    assert not await asyncio.to_thread(
        streams.send_order_from_thread, "unix:///nirgendwo/valkey.sock", RUNNER, Order.STOP, uuid4()
    )
    await nowhere.aclose()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("trouble", ["stops", "freezes"])
async def test_while_valkey_is_away_text_is_kept_nowhere_and_once_it_is_back_the_stream_is_whole(
    trouble: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "_TIMEOUT_S", 0.2)
    monkeypatch.setattr(streams, "_PAUSE_S", 0.0)
    with running() as valkey:
        away: Callable[[], None] = {"stops": valkey.stop, "freezes": valkey.freeze}[trouble]
        back: Callable[[], None] = {"stops": valkey.start, "freezes": valkey.thaw}[trouble]
        journal = Journal(valkey.url, RUNNER, lambda *_: None)
        turn, other = Writer(journal), Writer(journal)
        turn.say("Lehena.\n\n")
        await written(journal)
        away()
        for word in ("Erdi", "ko", "a.\n\n"):
            turn.say(word)
            await written(journal)
        assert turn.log.waiting == other.log.waiting == []
        assert len(warnings(caplog)) == 1
        back()
        turn.say("Azkena")
        await written(journal)
        turn.say(".")
        turn.end()
        await journal.settle()
        reader = streams.client(valkey.url)
        assert await turn.html(reader) == "<p>Lehena.</p>\n<p>Erdikoa.</p>\n<p>Azkena.</p>\n"
        await reader.aclose()


async def test_a_stall_never_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "MOST_WAITING_BYTES", 10_000)
    with running() as valkey:
        journal = Journal(valkey.url, RUNNER, lambda *_: None)
        turn = Writer(journal)
        await written(journal)
        valkey.freeze()
        journal.tick(time.monotonic())
        for _ in range(1000):
            turn.say("hitz luzea " * 5)
            journal.tick(time.monotonic())
            assert sum(map(len, turn.log.waiting)) <= 10_000
        valkey.thaw()
        turn.end()
        await journal.settle()
        reader = streams.client(valkey.url)
        assert await turn.html(reader) == f"<p>{turn.text.strip()}</p>\n"
        await reader.aclose()
