"""Fuzzed frames, by socket and by the line of requests, to a real process.

What holds, whatever is sent:

1. no answer is a 5xx, and no socket is closed for another reason than what was sent on it (1008, 1009);
2. every frame is answered as an oracle says: what is no frame as ``bad_frame``, another's battle as ``not_found``, a turn without consent as such;
3. afterwards only the turns stand that a volunteer sent for a battle of their own, once for each key, word for word; battles of those who were
   attacked are as they were.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from arena.conduct import FRAMES_AT_ONCE, MOST_STRIKES
from arena.models import Answer, Battle, Turn
from arena.protocol import MAX_FRAME_BYTES, SUBPROTOCOL
from inference.database import in_thread
from inference.fakes import FakeModelServer, fake_model_server
from inference.models import ModelEndpoint
from tests.arena.attacked import attacked
from tests.arena.builders import make_campaign
from tests.arena.test_processes import Site, valkey
from tests.security.world import PATIENT, TOKEN, Volunteer, still, volunteer
from tests.valkey import Valkey

__all__ = ["valkey"]
SEED = 20261127
BAD, CLOSED_FOR_CAUSE = "bad_frame", {1008, 1009}
LONG = "x" * 20_000
FRAMES_A_SOCKET = FRAMES_AT_ONCE


@dataclass
class Shot:
    text: str | bytes
    codes: set[str]
    """How it may be answered: codes of refusals, ``state``, or nothing at all."""
    said: str | None = None
    key: str = ""


@dataclass
class Gunner:
    """Draws frames of one attacker; *others* are whose battles they try."""

    chance: random.Random
    own: Volunteer | None
    others: list[Volunteer]
    keys: list[str] = field(default_factory=list)

    def draw(self) -> Shot:
        draw = self.chance.choices(
            [
                self._no_frame,
                self._broken,
                self._foreign,
                self._missing,
                self._stop,
                self._empty,
                self._long,
                self._retry,
                self._turn,
            ],
            [12, 18, 22, 10, 8, 8, 6, 8, 2],
        )[0]
        return draw()

    def _no_frame(self) -> Shot:
        depth = self.chance.choice([10, 10_000])
        texts: list[str | bytes] = [
            "",
            "{}",
            "[]",
            "null",
            "1",
            "\x00",
            '"',
            "[" * depth,
            '{"a":' * depth,
            '{"type":null}',
            "NaN",
            b"\xff\xfe",
            b"{}",
        ]
        return Shot(self.chance.choice(texts), {BAD})

    def _broken(self) -> Shot:
        """A good frame with one thing wrong."""
        frames: list[dict[str, Any]] = [
            {"type": "turn", "text": "Kaixo", "key": self._uuid()},
            {"type": "retry", "side": "A"},
            {"type": "resume", "battle": self._uuid(), "offsets": {"A": 0, "B": 0}},
        ]
        frame = self.chance.choice(frames)
        name = self.chance.choice(list(frame))
        wrong = self.chance.choice(
            [None, [], {}, 1.5, -1, 10**30, True, "\ud800", "x" * 100, {"A": -1}, {"C": 1}, ["A"]]
        )
        if (name, wrong) == ("text", "x" * 100) or (name == "text" and wrong == "\ud800"):
            wrong = 7
        frame = self.chance.choice(
            [frame | {name: wrong}, {k: v for k, v in frame.items() if k != name}, frame | {"admin": True}]
        )
        if frame.get("type") == "resume" and "offsets" not in frame and set(frame) == {"type", "battle"}:
            return Shot(json.dumps(frame), {"not_found"})  # offsets may be left out
        if frame.get("offsets") == {}:
            return Shot(json.dumps(frame), {"not_found"})
        return Shot(json.dumps(frame), {BAD})

    def _foreign(self) -> Shot:
        other = self.chance.choice(self.others)
        battle = str(self.chance.choice(list(other.battles)))
        offsets = {"A": self.chance.choice([0, 1, 999_999]), "B": self.chance.randrange(9)}
        return Shot(json.dumps({"type": "resume", "battle": battle, "offsets": offsets}), {"not_found"})

    def _missing(self) -> Shot:
        return Shot(json.dumps({"type": "resume", "battle": self._uuid()}), {"not_found"})

    def _stop(self) -> Shot:
        return Shot(json.dumps({"type": "stop"}), set())

    def _empty(self) -> Shot:
        text = self.chance.choice(["", " ", "\n\t", "a\x00b", "\u2003"])
        return self._refused_turn(text, "empty")

    def _long(self) -> Shot:
        return self._refused_turn(LONG, "too_long")

    def _refused_turn(self, text: str, code: str) -> Shot:
        frame = {"type": "turn", "text": text, "key": self._uuid()}
        return Shot(json.dumps(frame), {code if self.own else "consent_needed"})

    def _retry(self) -> Shot:
        return Shot(
            json.dumps({"type": "retry", "side": self.chance.choice("AB")}), {"not_found", "not_ready"}
        )

    def _turn(self) -> Shot:
        """A message that is taken, or a key that was used before."""
        again = self.keys and self.chance.random() < 0.3
        key = self.chance.choice(self.keys) if again else self._uuid()
        said = f"Kaixo {key}"
        if self.own is None:
            return Shot(json.dumps({"type": "turn", "text": said, "key": key}), {"consent_needed"})
        self.keys.append(key)
        return Shot(json.dumps({"type": "turn", "text": said, "key": key}), {"state"}, said, key)

    def _uuid(self) -> str:
        return str(UUID(int=self.chance.getrandbits(128), version=4))


async def answered(frames: Any, shot: Shot) -> str:
    """The code of a refusal, or the kind of the last frame of a turn that was taken."""
    async for frame in frames:
        if frame["type"] == "refused":
            return str(frame["code"])
        if frame["type"] == "state" and frame["status"] in {"ready", "voted", "abandoned"}:
            return "state"
    return "closed"


def strikes_out(code: str, strikes: int) -> bool:
    return code == BAD and strikes + 1 >= MOST_STRIKES


async def by_socket(
    http: aiohttp.ClientSession, site: Site, gunner: Gunner, told: Counter[str], sent: list[Shot]
) -> int:
    """One socket's worth of frames. Returns how many."""
    headers = {"Origin": site.address}
    if gunner.own:
        headers["Cookie"] = f"sessionid={gunner.own.cookie}"
    async with http.ws_connect(
        f"{site.address}/ws/battle/", protocols=[SUBPROTOCOL], headers=headers
    ) as socket:

        async def frames() -> Any:
            async for message in socket:
                yield json.loads(message.data)

        strikes = 0
        for n in range(1, FRAMES_A_SOCKET + 1):
            shot = gunner.draw()
            await (
                socket.send_bytes(shot.text) if isinstance(shot.text, bytes) else socket.send_str(shot.text)
            )
            sent.append(shot)
            if not shot.codes:
                told["nothing"] += 1
                continue
            code = await answered(frames(), shot)
            if code == "not_ready" and shot.said is not None:
                code = "state"  # an open battle is being answered already
            assert code in shot.codes | ({"not_ready"} if shot.said else set()), (code, shot)
            told[code] += 1
            strikes += code == BAD
            if strikes >= MOST_STRIKES:
                await socket.receive()
                assert socket.close_code in CLOSED_FOR_CAUSE
                return n
        return FRAMES_A_SOCKET


async def by_requests(
    http: aiohttp.ClientSession, site: Site, gunner: Gunner, told: Counter[str], sent: list[Shot]
) -> int:
    shot = gunner.draw()
    cookie = f"csrftoken={TOKEN}" + (f"; sessionid={gunner.own.cookie}" if gunner.own else "")
    headers = {"Cookie": cookie, "X-CSRFToken": TOKEN, "Content-Type": "application/json"}
    victim = gunner.chance.choice([*gunner.others, None])
    battle = f"{gunner.chance.choice(list(victim.battles))}/" if victim and shot.said is None else ""
    async with http.post(f"{site.address}/line/{battle}", data=shot.text, headers=headers) as answer:
        assert answer.status == 200, (answer.status, shot)
        events = [
            json.loads(each[6:]) for each in (await answer.text()).split("\n\n") if each.startswith("data: {")
        ]
    sent.append(shot)

    async def frames() -> Any:
        for each in events:
            yield each

    code = await answered(frames(), shot) if shot.codes else "nothing"
    allowed = (
        shot.codes | ({"not_found", "consent_needed"} if battle else set()) if shot.codes else {"nothing"}
    )
    assert code in allowed, (code, shot, battle)
    told[code] += 1
    return 1


async def storm(
    site: Site, attackers: list[Volunteer | None], victims: list[Volunteer], count: int
) -> tuple[Counter[str], list[Shot]]:
    told: Counter[str] = Counter()
    sent: list[Shot] = []
    fired = 0

    async def shoot(own: Volunteer | None, seed: int) -> None:
        nonlocal fired
        gunner = Gunner(random.Random(seed), own, victims)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            while fired < count:
                how = by_socket if gunner.chance.random() < 0.3 else by_requests
                shots = await how(http, site, gunner, told, sent)
                fired += shots

    await asyncio.gather(*(shoot(own, SEED + n) for n, own in enumerate(attackers)))
    return told, sent


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.security)])
def test_no_fuzzed_frame_has_an_effect_that_it_must_not_have(
    repository: Path, valkey: Valkey, count: int
) -> None:
    campaign = make_campaign(candidates=2)
    campaign.guest_open_battles = campaign.guest_turns_per_hour = 30_000
    campaign.max_prompt_chars = 4000
    campaign.tokens_per_day = 10_000_000
    campaign.save()
    victims = [volunteer(campaign, ready=3) for _ in range(3)]
    attackers: list[Volunteer | None] = [*(volunteer(campaign, ready=0) for _ in range(5)), None]
    before = list(Turn.objects.order_by("pk").values_list("pk", flat=True))
    answers = list(Answer.objects.order_by("pk").values_list("pk", "text", "status"))

    async def attack() -> tuple[Counter[str], list[Shot]]:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(fake_model_server(FakeModelServer(remembers=False)))
            await in_thread(lambda: ModelEndpoint.objects.update(base_url=server.base_url))()
            return await storm(site, attackers, victims, count)

    with attacked(repository, valkey, **PATIENT) as site:
        told, sent = asyncio.run(attack())
    print(f"\n{len(sent)} frames, seed {SEED}: {dict(told.most_common())}")
    assert told["state"] > 0, "the attack did not try"

    taken = {shot.key: shot.said for shot in sent if shot.said}
    new = Turn.objects.exclude(pk__in=before)
    owners = {each.participant.pk for each in attackers if each}
    for turn in new.select_related("battle"):
        assert taken[str(turn.key)] == turn.text
        assert turn.battle.participant_id in owners
    assert new.count() == len({turn.key for turn in new})
    for each in victims:
        assert still(each) == each.battles
    assert (
        list(Answer.objects.filter(turn_id__in=before).order_by("pk").values_list("pk", "text", "status"))
        == answers
    )
    assert not Battle.objects.filter(status="voted").exists()
    assert len(LONG) < MAX_FRAME_BYTES
