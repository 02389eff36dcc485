"""``lines.txt`` against sockets and requests, while the owner's battle is being answered."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from arena import sessions
from arena.doorkeeper import NO_LONGER_WELCOME
from arena.models import Participant, Turn, User
from arena.services.campaigns import ensure_default_campaign
from inference.database import in_thread
from tests.arena.builders import make_participant
from tests.arena.test_lines import Requests
from tests.arena.test_socket import Frame, Page, Servers, cookie_of, is_state, own_runner, seeded, servers
from tests.security.authorisation.asking import Asked
from tests.security.authorisation.people import Somebody, volunteer
from tests.security.authorisation.tables import rows

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["own_runner", "servers"]
ROWS = rows("lines.txt")


def cookies(servers: Servers) -> dict[str, str]:
    """Of everybody, by role; *off* is the owner too, once the account is switched off."""
    seeded(servers)
    campaign = ensure_default_campaign()
    owner, banned = volunteer(campaign, "jabea"), make_participant(campaign)
    Participant.objects.filter(pk=banned.pk).update(banned_at=timezone.now())
    return {
        "off": owner.cookie,
        "logged-out": _logged_out(owner),
        "anonymous": "",
        "stranger": cookie_of(make_participant(campaign)),
        "banned": cookie_of(banned),
    }


def _logged_out(who: Somebody) -> str:
    assert who.user is not None
    assert who.participant is not None
    client = Client()
    client.force_login(who.user)
    session = client.session
    sessions.remember_participant(session, who.participant.pk)
    session.save()
    cookie = client.cookies["sessionid"].value
    client.post(reverse("account_logout"))
    return cookie


def said(frame: str, battle: str) -> dict[str, Any]:
    """The fields of a frame."""
    if frame == "turn":
        return {"text": "Eta nik?", "key": str(uuid4())}
    return {"resume": {"battle": battle}, "retry": {"side": "A"}}.get(frame, {})


def word(frames: list[Frame], battle: str) -> str:
    """What the table calls it."""
    if not frames:
        return "nothing"
    if frames[0]["type"] == "refused":
        return str(frames[0]["code"])
    return "own" if all(each.get("battle", "") != battle for each in frames) else "LET IN"


async def by_socket(cookie: str, frame: str, battle: str) -> str:
    """What a fresh socket is told that asks to resume the battle, and then goes on as if it had."""
    page = Page(cookie)
    assert await page.open()
    for each in dict.fromkeys(("resume", frame)):
        await page.say(each, **said(each, battle))
    await page.send("no frame")  # is told of: what came before it, came of these
    came: list[dict[str, Any]] = []
    while not came or (came[-1]["type"] != "websocket.close" and "bad_frame" not in came[-1]["text"]):
        came.append(await page.socket.receive_output(timeout=10))  # type: ignore[no-untyped-call]  # asgiref's
    if came[-1]["type"] == "websocket.close":
        return "closed" if came[-1]["code"] == NO_LONGER_WELCOME else str(came[-1]["code"])
    await page.close()
    frames = [json.loads(each["text"]) for each in came[:-1]]
    return word(frames if frame == "resume" else frames[1:], battle)


async def by_request(cookie: str, frame: str, battle: str) -> str:
    browser = Requests(cookie)
    browser.battle = battle
    return word(await browser.all(frame, **said(frame, battle)), battle)


async def test_nobody_else_has_a_say_in_a_battle(servers: Servers) -> None:
    for server in servers:
        server.gate = asyncio.Event()
    held = await in_thread(cookies)(servers)
    owner = Page(held["off"])
    assert await owner.open()
    await owner.turn()
    battle = (await owner.until(is_state("answering")))[-1]["battle"]
    asked = Asked()

    async def ask(role: str) -> None:
        for row in ROWS:
            way = {"socket": by_socket, "request": by_request}[row.method]
            came = await way(held[role], row.route, battle)
            asked.note(role, f"{row.method} {row.route}", expected=row.cells[role], came=came)

    for role in held.keys() - {"off"}:
        await ask(role)
    for server in servers:
        assert server.gate is not None
        server.gate.set()
    frames = await owner.until(is_state("ready"))
    assert {each["reason"] for each in frames if each["type"] == "done"} == {"stop"}
    await owner.close()
    await in_thread(User.objects.update)(is_active=False)
    await ask("off")
    print(f"\nlines: {asked}")
    assert asked.unexpected == [], asked.listed
    assert await in_thread(Turn.objects.filter(battle=battle).count)() == 1
