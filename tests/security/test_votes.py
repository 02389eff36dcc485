"""Fuzzed votes, by HTTP, to a real process.

What holds, whatever is sent:

1. no answer is a 5xx;
2. a vote is accepted exactly where an oracle says so: a page of this site sent it, for a battle of that browser's own volunteer, both of whose
   answers are complete, with one of the 22 valid combinations of judgements, or the same again as the vote that stands;
3. what is stored afterwards is what was accepted: one vote a battle, of its owner, its winner by the table of ``interfaces``;
4. the tally has moved by the counted votes and by nothing else.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import aiohttp
import pytest

from arena.models import Vote
from ranking.models import TallyCell
from tests.arena.attacked import attacked
from tests.arena.builders import make_campaign
from tests.arena.test_processes import Site, valkey
from tests.security.world import PATIENT, TOKEN, Volunteer, still, volunteer
from tests.valkey import Valkey

__all__ = ["valkey"]
SEED = 20261127
A, B, TIE, BAD = "a_better", "b_better", "tie", "both_bad"
OVERALL = "asked"
TABLE = {
    A: {A: A, B: OVERALL, TIE: A, BAD: A},
    B: {A: OVERALL, B: B, TIE: B, BAD: B},
    TIE: {A: A, B: B, TIE: TIE, BAD: TIE},
    BAD: {A: A, B: B, TIE: TIE, BAD: BAD},
}
"""By content, then language."""
ODD = [
    "",
    " ",
    "A_BETTER",
    "a_better ",
    "0",
    "null",
    "\x00",
    "é" * 300,
    "a_better'--",
    "tie\ntie",
    "{{7*7}}",
    "🦔",
    "x" * 20_000,
]

Fields = dict[str, str]


def winner(content: str, language: str, overall: str) -> str | None:
    """What the table says; ``None`` where it refuses."""
    told = TABLE.get(content, {}).get(language)
    if told == OVERALL:
        return overall if overall in {A, B, TIE, BAD} else None
    return told if not overall else None


@dataclass(frozen=True)
class Shot:
    """One request, and whether it has what a vote needs besides a battle that can be voted for."""

    battle: str
    whose: Volunteer | None
    sender: Volunteer | None
    cookie: str
    fields: list[tuple[str, str]]
    has_token: bool
    origin: str | None
    method: str
    body: str

    @property
    def is_own(self) -> bool:
        return self.whose is not None and self.whose is self.sender

    @property
    def is_from_a_page(self) -> bool:
        return self.has_token and self.origin is None and self.method == "POST"

    @property
    def said(self) -> tuple[str, str, str]:
        told = dict(self.fields) if self.body in {"form", "multipart"} else {}
        return told.get("content", ""), told.get("language", ""), told.get("overall", "")


class Gunner:
    """Draws requests, most of them wrong in one way or none, some in several."""

    def __init__(self, volunteers: list[Volunteer]) -> None:
        self.chance = random.Random(SEED)
        self.volunteers = volunteers

    def draw(self) -> Shot:
        chance = self.chance
        whose = chance.choice(self.volunteers)
        battle = str(chance.choice(list(whose.battles)))
        odd = chance.random()
        sender: Volunteer | None = whose
        cookie = whose.cookie
        if odd < 0.08:
            sender = chance.choice([each for each in self.volunteers if each is not whose])
            cookie = sender.cookie
        elif odd < 0.12:
            sender, cookie = None, chance.choice(["", "x" * 32, "' OR 1=1", "é" * 9, whose.cookie[:-1]])
        owner: Volunteer | None = whose
        if chance.random() < 0.03:
            owner, battle = (
                None,
                chance.choice(
                    [str(UUID(int=chance.getrandbits(128))), "1", "%00", "..%2f", battle.upper() + "x"]
                ),
            )
        return Shot(
            *(battle, owner, sender, cookie, self._fields()),
            has_token=chance.random() > 0.05,
            origin="https://adibidea.eus" if chance.random() < 0.03 else None,
            method=chance.choice(["GET", "PUT", "DELETE", "HEAD"]) if chance.random() < 0.02 else "POST",
            body=chance.choices(["form", "multipart", "json", "broken"], [80, 14, 3, 3])[0],
        )

    def _fields(self) -> list[tuple[str, str]]:
        chance = self.chance
        content, language = chance.choice([A, B, TIE, BAD]), chance.choice([A, B, TIE, BAD])
        fields = [("content", content), ("language", language)]
        if (TABLE[content][language] == OVERALL) is (chance.random() > 0.15):
            fields.append(("overall", chance.choice([A, B, TIE, BAD])))
        if chance.random() < 0.15:
            fields.append((chance.choice(["content", "language", "overall", "x" * 100]), chance.choice(ODD)))
        if chance.random() < 0.05:
            fields.pop(chance.randrange(len(fields)))
        if chance.random() < 0.05:
            fields += [(f"f{n}", "x") for n in range(chance.choice([5, 1500]))]
        chance.shuffle(fields)
        return fields


@dataclass
class Oracle:
    """What must be, told by the requests alone."""

    votes: dict[str, tuple[str, str, str]]
    states: dict[str, str]

    def accepts(self, shot: Shot) -> bool:
        """Whether the vote is taken; it is then the one that stands."""
        if not (shot.is_own and shot.is_from_a_page) or winner(*shot.said) is None or len(shot.fields) > 1000:
            return False
        if shot.battle in self.votes:
            return self.votes[shot.battle] == shot.said
        if self.states.get(shot.battle) != "ready":
            return False
        self.votes[shot.battle] = shot.said
        return True


async def fire(http: aiohttp.ClientSession, site: Site, shot: Shot) -> int:
    fields = [*shot.fields, *([("csrfmiddlewaretoken", TOKEN)] if shot.has_token else [])]
    headers = {"Cookie": f"csrftoken={TOKEN}; sessionid={shot.cookie}".encode().decode("latin-1")}
    headers |= {"Origin": shot.origin} if shot.origin else {}
    data: Any = urlencode(fields)
    if shot.body == "multipart":
        data = aiohttp.FormData(default_to_multipart=True)
        for name, value in fields:
            data.add_field(name, value)
    elif shot.body == "json":
        headers |= {"Content-Type": "application/json", "X-CSRFToken": TOKEN if shot.has_token else ""}
        data = '{"content": "tie", "language": "tie"}'
    elif shot.body == "broken":
        headers |= {
            "Content-Type": "multipart/form-data; boundary=x",
            "X-CSRFToken": TOKEN if shot.has_token else "",
        }
        data = '--x\r\nContent-Disposition: form-data; name="content"\r\n\r\ntie'
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    address = f"{site.address}/battle/{shot.battle}/vote/"
    async with http.request(
        shot.method, address, data=data, headers=headers, allow_redirects=False
    ) as answer:
        await answer.read()
        return answer.status


async def storm(site: Site, gunner: Gunner, oracle: Oracle, count: int) -> Counter[str]:
    """Eight at a time; those for one battle one after the other, so that the oracle knows which came first."""
    told: Counter[str] = Counter()
    turns = {battle: asyncio.Lock() for battle in oracle.states}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        left = iter(range(count))

        async def shoot() -> None:
            for _ in left:
                shot = gunner.draw()
                async with turns.get(shot.battle, asyncio.Lock()):
                    status = await fire(http, site, shot)
                    expected, accepted = oracle.accepts(shot), status in {200, 302} and shot.method == "POST"
                assert status < 500, (status, shot)
                assert accepted is expected, (status, shot, oracle.votes.get(shot.battle))
                told["accepted" if accepted else str(status)] += 1

        await asyncio.gather(*(shoot() for _ in range(8)))
    return told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.security)])
def test_no_fuzzed_vote_is_accepted_wrongly(repository: Path, valkey: Valkey, count: int) -> None:
    campaign = make_campaign(candidates=4)
    campaign.guest_open_battles, campaign.guest_turns_per_hour = 10_000, 10_000
    campaign.save()
    volunteers = [volunteer(campaign, ready=max(2, count // 100)) for _ in range(6)]
    states = {str(key): state for each in volunteers for key, state in each.battles.items()}
    oracle = Oracle({}, states)
    with attacked(repository, valkey, **PATIENT) as site:
        told = asyncio.run(storm(site, Gunner(volunteers), oracle, count))
    print(f"\n{count} votes, seed {SEED}: {dict(told.most_common())}")
    assert told["accepted"] > count / 100, "the attack did not try"

    stored = {str(vote.battle_id): vote for vote in Vote.objects.select_related("battle")}
    assert stored.keys() == oracle.votes.keys()
    for key, vote in stored.items():
        assert vote.winner == winner(*oracle.votes[key])
        assert vote.participant_id == vote.battle.participant_id
    for each in volunteers:
        expected = {
            key: "voted" if str(key) in oracle.votes else state for key, state in each.battles.items()
        }
        assert still(each) == expected
    cells = TallyCell.objects.filter(criterion="overall").values_list(A, B, TIE, BAD)
    assert sum(map(sum, cells)) == Vote.objects.filter(counted=True).count()
