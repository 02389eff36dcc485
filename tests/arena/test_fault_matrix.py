"""Every way a model server can fail, met by the whole site: socket, runner, gateway, database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.test import Client
from django.urls import reverse

from arena import runner, sessions
from arena.models import Answer, Battle
from inference import gateway
from inference.fakes import FakeModelServer, Fault, fake_model_server
from inference.models import ModelEndpoint
from tests.arena.test_socket import Page, is_state, seeded, stored

pytestmark = pytest.mark.django_db(transaction=True)

Servers = tuple[FakeModelServer, FakeModelServer]
# Whoever is to run out of time does so soon; whoever is not has more than a busy machine ever takes.
QUICK = {"connect_s": 0.5, "first_token_s": 0.5, "between_tokens_s": 0.5, "total_s": 2.0}
PATIENT = dict.fromkeys(QUICK, 60.0)
BY_DEADLINE = {"timeout", "rate_limited"}  # how long to wait before asking again is measured against it, too
VOTE = {"content": "a_better", "language": "tie", "overall": ""}

FAILS = {
    Fault.UNAUTHORIZED: "unauthorized",
    Fault.NOT_FOUND: "model_not_found",
    Fault.RATE_LIMITED: "rate_limited",
    Fault.BROKEN: "server",
    Fault.UNAVAILABLE: "server",
    Fault.BAD_REQUEST: "other",
    Fault.REDIRECT: "connect",
    Fault.RESET: "connect",
    Fault.ERROR_BODY: "server",
    Fault.REFUSES_IN_BAND: "server",
    Fault.IN_BAND: "server",
    Fault.EMPTY_BODY: "malformed",
    Fault.GARBAGE: "malformed",
    Fault.BAD_UTF8: "malformed",
    Fault.CUT_UTF8: "malformed",
    Fault.NOT_A_STREAM: "malformed",
    Fault.NO_END: "malformed",
    Fault.DIES: "malformed",
    Fault.EMPTY_ANSWER: "empty",
    Fault.WHITE_SPACE: "empty",
    Fault.HANGS_SILENT: "timeout",
    Fault.HANGS_FIRST: "timeout",
    Fault.HANGS_AFTER_ROLE: "timeout",
    Fault.HANGS_BETWEEN: "timeout",
    Fault.TRICKLE: "timeout",
}
ENDS_WELL = {
    Fault.SPLIT_UTF8: "stop",
    Fault.PACKED: "stop",
    Fault.FLOOD: "length",
    Fault.LOOPS: "loop",
}


@pytest.fixture(autouse=True)
async def own_runner(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[runner.Runner]:
    fresh = runner.Runner()
    monkeypatch.setattr(runner, "_runner", fresh)
    yield fresh
    await fresh.drain()
    await gateway.close()


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    good, bad = FakeModelServer(), FakeModelServer()
    async with fake_model_server(good), fake_model_server(bad):
        yield good, bad


async def battle_page(servers: Servers, *, bad_is: dict[str, float] = PATIENT) -> tuple[Page, str]:
    def prepare() -> str:
        _, cookie = seeded(servers)
        ModelEndpoint.objects.update(**PATIENT)
        ModelEndpoint.objects.filter(base_url=servers[1].base_url).update(**bad_is)
        return cookie

    cookie = await database_sync_to_async(prepare)()
    page = Page(cookie)
    assert await page.open()
    return page, cookie


def both_ended(frames: list[dict[str, Any]]) -> bool:
    return {frame["side"] for frame in frames if frame["type"] in {"done", "failed"}} == {"A", "B"}


async def play(page: Page) -> list[dict[str, Any]]:
    """Send a message and read until both sides have ended, and what the site says of it."""
    await page.turn()
    frames: list[dict[str, Any]] = []
    while not (both_ended(frames) and frames[-1]["type"] == "state"):
        frames.append(await page.next())
    return frames


def sides_by_server(servers: Servers) -> dict[str, Answer]:
    """The answers as ``good`` and ``bad``, by whose address they were asked of."""
    answers = Answer.objects.select_related("endpoint")
    names = {servers[0].base_url: "good", servers[1].base_url: "bad"}
    return {names.get(answer.endpoint.base_url, "bad"): answer for answer in answers}  # type: ignore[union-attr]


def vote_status(cookie: str) -> int:
    client = Client()
    client.cookies["sessionid"] = cookie
    return client.post(reverse("vote", args=[Battle.objects.get().pk]), VOTE).status_code


async def ends_alone(servers: Servers, code: str) -> None:
    page, cookie = await battle_page(servers, bad_is=QUICK if code in BY_DEADLINE else PATIENT)
    frames = await play(page)
    await page.close()
    sides = await stored(lambda: sides_by_server(servers))
    assert (sides["bad"].status, sides["bad"].error_code) == ("failed", code)
    assert (sides["good"].status, sides["good"].text) == ("complete", "Kaixo mundua")
    assert {frame["code"] for frame in frames if frame["type"] == "failed"} == {code}
    assert await stored(lambda: vote_status(cookie)) == 409


@pytest.mark.parametrize("fault", FAILS)
async def test_a_fault_ends_typed_on_its_side_and_closes_the_vote(servers: Servers, fault: Fault) -> None:
    servers[1].fault = fault
    await ends_alone(servers, FAILS[fault])


async def test_a_server_that_is_gone_ends_its_side_and_answers_when_it_is_back(servers: Servers) -> None:
    gone = servers[1]
    await gone.stop()
    await ends_alone(servers, "connect")
    await gone.start()
    battle = await stored(Battle.objects.get)
    cookie = await stored(lambda: cookie_of(battle))
    page = Page(cookie)
    assert await page.open()
    await page.say("resume", battle=str(battle.pk), offsets={"A": 0, "B": 0})
    frames = await page.until(lambda frame: frame["type"] == "failed")
    await page.say("retry", side=frames[-1]["side"])
    await page.until(is_state("ready"))
    await page.close()
    assert await stored(lambda: vote_status(cookie)) == 302


@pytest.mark.parametrize("fault", ENDS_WELL)
async def test_a_good_answer_in_a_hard_form_is_votable(servers: Servers, fault: Fault) -> None:
    servers[1].fault = fault
    page, cookie = await battle_page(servers)
    await page.turn()
    await page.until(is_state("ready"))
    await page.close()
    sides = await stored(lambda: sides_by_server(servers))
    assert (sides["bad"].status, sides["bad"].finish_reason) == ("complete", ENDS_WELL[fault])
    assert await stored(lambda: vote_status(cookie)) == 302


def cookie_of(battle: Battle) -> str:
    client = Client()
    session = client.session
    sessions.remember_participant(session, battle.participant_id)
    session.save()
    return client.cookies["sessionid"].value
