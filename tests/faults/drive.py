"""Twenty votes a second, and volunteers who play battles beside them, in a thread of their own while the test breaks the site."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.faults.browser import LANGUAGES, Browser, GaveUp, judged
from tests.faults.ledger import Acknowledged, Ledger
from tests.faults.player import Player
from tests.faults.stack import MODELS, WEBS, Stack

VOTES_A_SECOND = 20
PLAYERS = 4
MOST_AT_ONCE = 30
"""Votes on their way: where the site takes no more, fewer are sent."""
PEOPLE = 300

# rows are copied whole, but for what names them
_COPY = """
WITH made AS (
  SELECT gen_random_uuid() AS battle, gen_random_uuid() AS turn, voter
  FROM unnest(%(voters)s::uuid[]) AS voter, generate_series(1, %(each)s)
), battles AS (
  INSERT INTO arena_battle SELECT (jsonb_populate_record(old, jsonb_build_object(
    'id', made.battle, 'participant_id', made.voter))).*
  FROM made, arena_battle old WHERE old.id = %(pattern)s
), turns AS (
  INSERT INTO arena_turn SELECT (jsonb_populate_record(old, jsonb_build_object(
    'id', made.turn, 'battle_id', made.battle, 'key', gen_random_uuid(), 'text', made.turn::text))).*
  FROM made, arena_turn old WHERE old.battle_id = %(pattern)s
), answers AS (
  INSERT INTO arena_answer SELECT (jsonb_populate_record(old, jsonb_build_object(
    'id', gen_random_uuid(), 'turn_id', made.turn))).*
  FROM made, arena_answer old JOIN arena_turn t ON old.turn_id = t.id WHERE t.battle_id = %(pattern)s
)
SELECT voter, battle FROM made
"""


@dataclass
class People:
    """Voters by participant, with their sessions, and answered battles that wait for their vote."""

    pattern: str
    voters: dict[str, str]
    stock: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, stack: Stack) -> People:
        addresses = [f"http://127.0.0.1:{stack.ports[name]}/v1" for name in MODELS]
        found = json.loads(stack.manage("-m", "tests.faults.seed", str(PEOPLE), *addresses).splitlines()[-1])
        return cls(found["pattern"], found["voters"])

    def fill(self, stack: Stack, least: int) -> None:
        """Have at least so many battles to vote in."""
        if len(self.stock) >= least:
            return
        given = {"voters": list(self.voters), "pattern": self.pattern, "each": -(-least // len(self.voters))}
        with stack.connect() as connection:
            rows = connection.execute(_COPY, given).fetchall()
        self.stock += [(self.voters[str(voter)], str(battle)) for voter, battle in rows]
        random.Random(1).shuffle(self.stock)


class Drive:
    """Volunteers at work from :meth:`start` until :meth:`finish`."""

    def __init__(
        self, stack: Stack, people: People, seed: int, *, votes_a_second: float, players: int
    ) -> None:
        self.ledger = Ledger()
        self._addresses = {web: stack.address(web) for web in WEBS}
        self._stock, self._chance = people.stock, random.Random(seed)
        self._pause_s, self._players = 1 / votes_a_second, players
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="volunteers")
        self.seconds = 0.0

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> Ledger:
        """Nobody begins anything any more; everybody comes to their end."""
        self._ended.set()
        self._thread.join()
        return self.ledger

    async def _run(self) -> None:
        limits = aiohttp.ClientTimeout(total=20)
        began = time.monotonic()
        jar = aiohttp.DummyCookieJar()
        async with (
            aiohttp.ClientSession(
                timeout=limits, cookie_jar=jar, connector=aiohttp.TCPConnector(limit=0)
            ) as http,
            asyncio.TaskGroup() as group,
        ):
            for number in range(self._players):
                group.create_task(self._play(http, number))
            due = time.monotonic()
            at_once = asyncio.Semaphore(MOST_AT_ONCE)
            while not self._ended.is_set():
                await at_once.acquire()
                task = group.create_task(self._vote(http))
                task.add_done_callback(lambda _: at_once.release())
                due = max(due, time.monotonic() - 1)
                due += self._pause_s
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.seconds = time.monotonic() - began

    def _browser(self, http: aiohttp.ClientSession, *, scripts: bool) -> Browser:
        chance = random.Random(self._chance.random())
        return Browser(http, self._addresses, self.ledger, chance, chance.choice(LANGUAGES), scripts)

    async def _play(self, http: aiohttp.ClientSession, number: int) -> None:
        while not self._ended.is_set():
            try:
                await Player(self._browser(http, scripts=True)).play()
            except GaveUp as error:
                self.ledger.wrong.append(f"player {number} gave up: {error}")

    async def _vote(self, http: aiohttp.ClientSession) -> None:
        browser = self._browser(http, scripts=False)
        session, battle = self._stock.pop()
        browser.cookies["sessionid"] = session
        content, language = judged(browser.chance)
        vote = Acknowledged(battle, content, language)
        try:
            await browser.vote(battle, content, language, lambda: self.ledger.votes.append(vote))
        except GaveUp as error:
            self.ledger.wrong.append(f"a voter gave up: {error}")


@contextmanager
def driving(
    stack: Stack,
    people: People,
    seed: int,
    *,
    votes_a_second: float = VOTES_A_SECOND,
    players: int = PLAYERS,
    seconds: float = 120,
) -> Iterator[Drive]:
    """Volunteers for the length of a block, which must not take much longer than *seconds*."""
    people.fill(stack, round(votes_a_second * seconds))
    drive = Drive(stack, people, seed, votes_a_second=votes_a_second, players=players)
    drive.start()
    try:
        yield drive
    finally:
        drive.finish()
