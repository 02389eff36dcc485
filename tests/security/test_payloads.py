"""Sixty payloads in every field that a stranger or a model controls, looked at in a real Chromium.

What holds, on every page that shows such a field, live and reloaded, to volunteers and to staff:

1. nothing runs: no script, no handler, no dialog, and the policy has nothing to refuse, as nothing was let into the page;
2. no request leaves the site: no picture, style, frame, form, hint or redirect;
3. what a page links to from such a field is http, https or mail, and knows nothing of the page that it came from;
4. no page answers 5xx.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import DataError, IntegrityError, InternalError, models, transaction
from django.test import Client
from django.urls import reverse
from playwright.async_api import Page, expect

from arena.embedded.ports import free_port
from arena.models import Battle, CheckQuestion, Participant, User
from arena.services import boards
from inference.database import in_thread
from inference.fakes import FakeModelServer
from inference.models import Candidate
from tests.arena.attacked import attacked
from tests.arena.builders import answered_set, make_campaign, make_candidate, make_participant, ready_battle
from tests.arena.planted import plant
from tests.arena.test_processes import valkey
from tests.security.browsing import Watched, watched
from tests.security.payloads import PAYLOADS
from tests.security.world import PATIENT
from tests.valkey import Valkey

__all__ = ["valkey"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FULL = pytest.mark.security
KEPT = {
    *(
        "arena.session",
        "auth.group",
        "auth.permission",
        "contenttypes.contenttype",
        "mfa.authenticator",
        "sessions.session",
    ),
    *("ranking.boardsnapshot", "ranking.snapshot", "ranking.snapshotreport", "ranking.tallycell"),
}
"""Tables whose texts nobody writes."""
KEPT_FIELDS = {
    "password",
    "slug",
    "code",
    "base_url",
    "digest",
    "key",
    "id",
    "email",
    "username",
    "prefix",
    "model",
    "board",
}
"""What addresses, keys and logins are made of; forms and constraints let no payload in there."""


def pieces(text: str) -> tuple[str, ...]:
    """As a model streams it: cut anywhere, within tags too."""
    return tuple(text[at : at + 3] for at in range(0, len(text), 3))


def test_the_payloads_are_sixty() -> None:
    assert len(set(PAYLOADS)) == 60


RAW = [
    each
    for each in PAYLOADS
    if each.startswith(("<img src", "<svg onload", "<details", "<iframe", "<object", "<base", "<form"))
]
"""Some that show at once on a page that lets them through."""


async def noticed(page: Page, seen: Watched) -> int:
    """How many of these are found where a page does let them through: else it would prove nothing that none is."""
    found = 0
    for payload in RAW:
        await page.goto(f"{seen.site}/about/")
        await page.evaluate("(html) => { document.body.innerHTML = html; }", payload)
        before = len(seen.trouble)
        await seen.look(page)
        found += len(seen.trouble) > before
    seen.trouble.clear()
    return found


# --- live


async def battle(page: Page, seen: Watched, server: FakeModelServer, payload: str, *, first: bool) -> None:
    """Ask with it, have it answered by both models piece by piece, vote, and look each time; then come back to it."""
    server.words = pieces(f"Kaixo\n\n{payload}\n\nagur")
    await seen.visit(page, "/")
    await page.fill("#message", payload)
    await page.click("[data-send]")
    if first:
        await page.check("dialog[open] [name=adult]")
        await page.click("dialog[open] .primary")
    await expect(page.locator("[data-vote]")).to_be_visible(timeout=60_000)
    await seen.look(page)
    for name in ("content", "language"):
        await page.check(f"[data-vote] [name={name}][value=tie]", force=True)
    await page.click("[data-vote] button.primary")
    await expect(page.locator("[data-vote]")).to_have_count(0)
    await seen.look(page)
    await page.reload()
    await seen.look(page)


@pytest.mark.parametrize(
    "payloads", [PAYLOADS[::20], pytest.param(PAYLOADS, marks=FULL)], ids=["sample", "all"]
)
def test_what_models_and_strangers_write_runs_nothing_while_it_streams_nor_afterwards(
    repository: Path, valkey: Valkey, payloads: tuple[str, ...]
) -> None:
    port = free_port()
    campaign = make_campaign(candidates=0)
    campaign.guest_turns_per_hour = 1000
    campaign.save()
    for payload in payloads:
        made = make_candidate(base_url=f"http://127.0.0.1:{port}/v1")
        Candidate.objects.filter(pk=made.pk).update(name=payload[:100], **_texts_of(Candidate, payload))

    async def browse(site: str) -> Watched:
        server = FakeModelServer(remembers=False)
        await server.start(port=port)
        try:
            async with watched(site, user_agent=payloads[0]) as (context, seen):
                page = await context.new_page()
                for n, payload in enumerate(payloads):
                    await battle(page, seen, server, payload, first=n == 0)
                for path in ("/me/", "/me/battles/", "/leaderboard/"):
                    assert await seen.visit(page, path) < 500
                assert seen.trouble == []
                assert await noticed(page, seen) == len(RAW)
            return seen
        finally:
            await server.stop()

    with attacked(repository, valkey, **PATIENT) as site:
        seen = asyncio.run(browse(site.address))
    print(f"\n{len(payloads)} payloads asked and answered live, {seen.pages} looks: 0 found")
    assert Battle.objects.filter(status="voted").count() == len(payloads)


def _texts_of(model: type[models.Model], payload: str) -> dict[str, str]:
    return {
        field.name: payload[: field.max_length or None]
        for field in model._meta.get_fields()
        if isinstance(field, models.TextField) and not field.choices and field.name not in KEPT_FIELDS
    }


# --- stored


def spread(payloads: tuple[str, ...], shift: int) -> Counter[str]:
    """Write them into every text of every row; how many different ones each field took."""
    took: dict[str, set[str]] = {}
    for model in apps.get_models():
        if model._meta.label_lower in KEPT or not model._meta.managed:
            continue
        fields = [field for field in model._meta.local_concrete_fields if _is_open(field)]
        for row, key in enumerate(model._default_manager.order_by("pk").values_list("pk", flat=True)):
            for field in fields:
                payload = payloads[(row + shift) % len(payloads)]
                text = payload[: field.max_length] if field.max_length else "\n\n".join([payload, *payloads])
                if _written(model, key, field.name, text):
                    took.setdefault(f"{model._meta.label_lower}.{field.name}", set()).add(payload)
    return Counter({name: len(each) for name, each in took.items()})


def _is_open(field: models.Field[Any, Any]) -> bool:
    is_text = isinstance(field, models.CharField | models.TextField)
    return is_text and not (field.choices or field.unique or field.primary_key or field.name in KEPT_FIELDS)


def _written(model: type[models.Model], key: object, name: str, text: str) -> bool:
    """Whether the database takes it: constraints and triggers are part of the defence."""
    try:
        with transaction.atomic():
            return model._default_manager.filter(pk=key).update(**{name: text}) == 1
    except (IntegrityError, DataError, InternalError, ValueError):
        return False


def admin_pages(most: int) -> list[str]:
    """Each list, and so many of what stands in it."""
    found = []
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{base}_changelist"))
        if not model._meta.managed:
            continue  # runs of training are read from files
        keys = model._default_manager.order_by("pk").values_list("pk", flat=True)[:most]
        found += [reverse(f"{base}_change", args=[key]) for key in keys]
    return found


def own_pages(participant: Participant) -> list[str]:
    pages = [
        "/",
        "/me/",
        "/me/battles/",
        "/leaderboard/",
        "/campaigns/",
        "/data/",
        "/status/",
        "/check/",
        "/api/",
        "/judge/",
    ]
    for each in Battle.objects.filter(participant=participant):
        base = f"/battle/{each.pk}/"
        pages += (
            [base, f"{base}report/", f"{base}feedback/"]
            if each.status == "voted"
            else [base, f"{base}report/"]
        )
    board = Battle.objects.select_related("campaign__board").first()
    assert board is not None
    slug = board.campaign.board.slug
    pages += [f"/campaigns/{board.campaign.slug}/", f"/leaderboard/{slug}/"]
    pages += [
        reverse("model", args=[slug, code]) for code in Candidate.objects.values_list("code", flat=True)[:3]
    ]
    return pages


def pages_of(who: str, participant: Participant, most: int) -> list[str]:
    return own_pages(participant) if who == "owner" else admin_pages(most)


@pytest.mark.parametrize(
    ("payloads", "rounds", "most"),
    [(PAYLOADS[::12], 1, 1), pytest.param(PAYLOADS, 4, 6, marks=FULL)],
    ids=["sample", "all"],
)
def test_what_is_stored_runs_nothing_wherever_it_is_shown(
    repository: Path, valkey: Valkey, payloads: tuple[str, ...], rounds: int, most: int
) -> None:
    campaign = make_campaign(candidates=4)
    made = plant(campaign)
    answered_set(campaign, "bat", "bi")
    CheckQuestion.objects.create(
        campaign=campaign, text="Galdera", options=["bai", "ez"], right=1, position=1
    )
    for _ in payloads:
        ready_battle(make_participant(campaign))
    boards.publish(campaign.board)
    staff = User.objects.create_superuser("maite")
    client = Client()
    client.force_login(staff)
    cookies = {"owner": made.client.cookies["sessionid"].value, "staff": client.cookies["sessionid"].value}
    took: Counter[str] = Counter()

    async def browse(site: str) -> list[Watched]:
        found = []
        for turn in range(rounds):
            took.update(await in_thread(spread)(payloads, turn * len(payloads) // rounds))
            for who, cookie in cookies.items():
                paths = await in_thread(pages_of)(who, made.participant, most)
                async with watched(site, user_agent=payloads[turn]) as (context, seen):
                    await context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
                    page = await context.new_page()
                    for path in paths:
                        assert await seen.visit(page, path) < 500, path
                    found.append(seen)
        return found

    with attacked(repository, valkey, **PATIENT) as site:
        found = asyncio.run(browse(site.address))
    trouble = [each for seen in found for each in seen.trouble]
    print(
        f"\n{len(payloads)} payloads in {len(took)} fields, {sum(seen.pages for seen in found)} looks: {len(trouble)} found"
    )
    assert trouble == []
