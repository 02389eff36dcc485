"""Open sockets end with what let them in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import OperationalError
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from arena import doorkeeper, runner
from arena.models import Participant, Session, User
from arena.selectors.sessions import Claim, standing_claims
from arena.services.campaigns import ensure_default_campaign
from arena.services.people import join_guest
from inference import gateway
from tests.arena.builders import make_candidate, make_participant
from tests.arena.test_socket import Page, cookie_of, stored

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD, OTHER = "bide-luze-baten-hasiera", "eta-beste-baten-amaiera"


@pytest.fixture(autouse=True)
async def own_runner(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(runner, "_runner", runner.Runner())
    monkeypatch.setattr(doorkeeper, "LOOK_S", 0.02)
    yield
    await runner.current().drain()
    await gateway.close()


def world() -> tuple[User, Client]:
    """Somebody with an account, logged in by password as a browser does it."""
    make_candidate("bat")
    make_candidate("bi")
    campaign = ensure_default_campaign()
    user = User.objects.create_user("ane", "ane@adibidea.eus", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    join_guest(guest_id=make_participant(campaign).pk, user=user)
    return user, logged_in()


def logged_in() -> Client:
    client = Client()
    answer = client.post(reverse("account_login"), {"login": "ane@adibidea.eus", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def cookie(client: Client) -> str:
    return client.cookies["sessionid"].value


async def opened(key: str) -> Page:
    page = Page(key)
    assert await page.open()
    return page


async def test_a_logout_closes_the_sockets_of_its_session_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, client = await stored(world)
    elsewhere = await stored(logged_in)
    page, other = await opened(cookie(client)), await opened(cookie(elsewhere))
    await stored(lambda: client.post(reverse("account_logout")))
    assert await page.closed() == doorkeeper.NO_LONGER_WELCOME
    assert await other.is_silent()
    await other.close()


async def test_another_password_closes_the_sockets_of_all_sessions() -> None:
    _, client = await stored(world)
    elsewhere = await stored(logged_in)
    pages = [await opened(cookie(client)), await opened(cookie(elsewhere))]
    new = {"oldpassword": PASSWORD, "password": OTHER, "password1": OTHER, "password2": OTHER}
    answer = await stored(lambda: client.post(reverse("account_change_password"), new))
    assert answer.status_code == 302
    assert [await page.closed() for page in pages] == [doorkeeper.NO_LONGER_WELCOME] * 2
    assert (await stored(lambda: client.get(reverse("me")))).status_code == 200
    assert "_auth_user_id" in await stored(lambda: dict(client.session))
    assert "_auth_user_id" not in await stored(lambda: dict(elsewhere.session))


async def test_whoever_is_banned_is_told_so_and_shown_out() -> None:
    key = await stored(lambda: cookie_of(make_participant(ensure_default_campaign())))
    page = await opened(key)
    await stored(lambda: Participant.objects.update(banned_at=timezone.now()))
    assert (await page.next())["code"] == "banned"
    assert await page.closed() == doorkeeper.NO_LONGER_WELCOME


async def test_sockets_stay_open_while_the_database_cannot_be_asked_and_end_afterwards(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    is_away, asked = True, asyncio.Event()
    loop = asyncio.get_running_loop()

    def look(claims: Collection[Claim]) -> set[Claim]:
        if is_away:
            loop.call_soon_threadsafe(asked.set)
            raise OperationalError("away")
        return standing_claims(claims)

    monkeypatch.setattr(doorkeeper, "standing_claims", look)
    page = await opened(await stored(lambda: cookie_of(make_participant(ensure_default_campaign()))))
    for _ in range(2):
        asked.clear()
        await asyncio.wait_for(asked.wait(), 10)
    assert await page.is_silent()
    assert "sessions of 1 sockets could not be looked at" in caplog.text
    await stored(lambda: Session.objects.all().delete())
    is_away = False
    assert await page.closed() == doorkeeper.NO_LONGER_WELCOME


async def test_a_session_that_an_async_login_began_says_whose_it_is_too() -> None:
    user = await stored(lambda: User.objects.create_user("ane"))
    await AsyncClient().aforce_login(user)
    session = await Session.objects.aget()
    assert (session.account_id, session.participant_id) == (user.pk, None)


async def test_a_frame_is_not_heard_after_a_logout_that_nobody_looked_at_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doorkeeper, "LOOK_S", 3600)
    _, client = await stored(world)
    page = await opened(cookie(client))
    await stored(lambda: client.post(reverse("account_logout")))
    await page.turn()
    assert await page.closed() == doorkeeper.NO_LONGER_WELCOME


async def test_a_socket_that_went_by_itself_is_looked_at_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []

    def look(claims: object) -> set[object]:
        looked.append(claims)
        return standing_claims(claims)  # type: ignore[arg-type,return-value]  # passed on as it is

    monkeypatch.setattr(doorkeeper, "standing_claims", look)
    key = await stored(lambda: cookie_of(make_participant(ensure_default_campaign())))
    page = await opened(key)
    await page.close()
    rounds = doorkeeper.doorkeeper._rounds
    assert rounds is not None
    await asyncio.wait_for(rounds, 10)
    assert all(claims for claims in looked)


@pytest.mark.parametrize(
    "change",
    [
        lambda: Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1)),
        lambda: Session.objects.update(participant_id=None),
        lambda: Participant.objects.update(erased_at=timezone.now()),
        lambda: Participant.objects.update(banned_at=timezone.now()),
        lambda: Session.objects.all().delete(),
    ],
    ids=["expired", "of somebody else", "erased", "banned", "gone"],
)
def test_a_claim_stands_as_long_as_its_session_and_its_owner(change: Callable[[], object]) -> None:
    participant = make_participant(ensure_default_campaign())
    claim = (cookie_of(participant), participant.pk)
    assert standing_claims([claim]) == {claim}
    change()
    assert standing_claims([claim]) == set()
