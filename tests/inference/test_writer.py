"""What the gateway writes down behind the answers, when it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from inference.breaker import Breaker
from inference.gateway.ports import NoTraffic, Passage
from inference.gateway.writer import Writer
from tests.inference.endpoints import passage


class Slow(NoTraffic):
    """A database that writes when it is told to."""

    def __init__(self) -> None:
        self.asked, self.may_write = asyncio.Event(), asyncio.Event()
        self.written: list[Passage] = []

    async def record(self, passages: Sequence[Passage]) -> Mapping[UUID, Breaker]:
        self.asked.set()
        await self.may_write.wait()
        self.written += passages
        return {}


async def closed_while_writing(writer: Writer, database: Slow) -> asyncio.Task[None]:
    """The writer being closed, with one passage on its way."""
    writer.add(passage(uuid4()))
    await database.asked.wait()
    closing = asyncio.create_task(writer.close())
    for _ in range(10):
        await asyncio.sleep(0)
    return closing


async def test_closing_waits_for_what_is_being_written_and_writes_what_came_meanwhile() -> None:
    database = Slow()
    writer = Writer(database, lambda news: None)
    closing = await closed_while_writing(writer, database)
    assert not closing.done()
    later = passage(uuid4())
    writer.add(later)
    database.may_write.set()
    await closing
    assert len(database.written) == 2
    assert database.written[-1] is later


async def test_a_closed_writer_begins_anew_with_the_next_passage() -> None:
    database = Slow()
    database.may_write.set()
    writer = Writer(database, lambda news: None)
    for count in (1, 2):
        writer.add(passage(uuid4()))
        await writer.close()
        assert len(database.written) == count


async def test_closing_one_that_never_wrote_does_nothing() -> None:
    await Writer(Slow(), lambda news: None).close()
