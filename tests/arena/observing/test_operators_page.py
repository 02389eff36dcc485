"""The operators' page: what it shows, to whom, and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from arena.models import Battle, Campaign, Exclusion, User, Vote
from arena.observing import notes, site
from arena.observing.notes import Failure
from arena.selectors import operations
from arena.services.exclusions import exclude
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason
from tests.arena.builders import make_campaign, make_participant
from tests.arena.exports.made import voted
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db
PAGE = "/admin/arena/operations/"


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def at_valkey(settings: Settings, valkey: Valkey) -> None:
    settings.REDIS_URL = valkey.url
    notes.client().flushall()
    site._kept.clear()


@pytest.fixture
def campaign() -> Campaign:
    made = make_campaign()
    made.goal = 4321
    made.save()
    return made


def operator(*permissions: str) -> Client:
    user = User.objects.create_user(f"langilea-{User.objects.count()}", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    client.post("/i18n/setlang/", {"language": "en"})
    return client


@pytest.fixture
def client() -> Client:
    return operator("view_operations")


def text_of(client: Client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def some_votes(campaign: Campaign, number: int) -> list[Vote]:
    return [voted(make_participant(campaign), text=f"Galdera {n}").vote for n in range(number)]


def test_it_opens_to_staff_with_the_permission_alone(campaign: Campaign) -> None:
    assert operator("view_operations").get(PAGE).status_code == 200
    assert operator("view_vote", "view_battle").get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302
    assert "How the site runs" in operator("view_operations").get("/admin/").content.decode()


def test_it_shows_the_campaign_s_pulse_beside_the_day_before(campaign: Campaign, client: Client) -> None:
    some_votes(campaign, 3)
    one = Battle.objects.order_by("created_at").first()
    assert one is not None
    for rows in (Battle.objects.filter(pk=one.pk), Vote.objects.filter(battle=one)):
        rows.update(created_at=F("created_at") - timedelta(days=1))
    hours = operations.hours()
    assert len(hours) == 24
    assert (sum(each.battles for each in hours), sum(each.battles_before for each in hours)) == (2, 1)
    assert (sum(each.votes for each in hours), sum(each.votes_before for each in hours)) == (2, 1)
    assert "3 / 4,321" in text_of(client)


def test_it_shows_exclusions_by_reason_and_day(campaign: Campaign, client: Client) -> None:
    first, second = some_votes(campaign, 2)
    for vote in (first, second):
        exclude(vote_id=vote.pk, reason=ExclusionReason.MODERATED, source=ExclusionSource.STAFF)
    Exclusion.objects.filter(vote=first, reason="moderated").update(
        created_at=timezone.now() - timedelta(days=1)
    )
    row = next(each for each in operations.excluded() if each.reason == "moderated")
    assert row.by_day[-2:] == [1, 1]
    Exclusion.objects.filter(vote=first).update(created_at=timezone.now() - timedelta(days=30))
    assert "moderated 0 0 0 0 0 0 1" in text_of(client)


def test_it_shows_jobs_that_are_late_and_errors_by_id(campaign: Campaign, client: Client) -> None:
    notes.note_task("reap_turns", succeeded=True)
    notes.note_task("retain", succeeded=False)
    notes.client().hset(notes.JOBS, "retain:first_missed_at", "0")
    notes.note_failures([Failure(0.0, "RuntimeError", "start", "eskaera-0042", "battle-id")] * 2)
    shown = text_of(client)
    assert re.search(r"reap_turns 30 \d+ 1 0", shown)
    assert re.search(r"retain 3,600 — late 1 1", shown)
    assert "0 tasks wait for a worker." in shown
    assert "RuntimeError (start): 2" in shown
    assert "eskaera-0042 battle-id" in shown


def test_it_says_when_valkey_is_away(campaign: Campaign, client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
    assert "Valkey does not answer" in text_of(client)


def test_it_shows_disks_backups_and_migrations(
    campaign: Campaign, client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.LEHIA_BACKUPS = tmp_path
    assert "Newest backup none" in text_of(client)
    (tmp_path / "lehia-1").mkdir()
    (tmp_path / "lehia-1" / "manifest.json").write_text("{}")
    shown = text_of(client)
    assert "0 hours ago" in shown
    assert "Free for backups" in shown
    newest = max(path.stem for path in (Path(__file__).parents[3] / "arena/migrations").glob("0*.py"))
    assert f"Migrations of arena {newest}" in shown


def test_it_costs_the_same_however_many_votes_there_are(campaign: Campaign, client: Client) -> None:
    def cost() -> int:
        site._kept.clear()
        with CaptureQueriesContext(connection) as asked:
            client.get(PAGE)
        return len(asked)

    client.get(PAGE)
    some_votes(campaign, 1)
    before = cost()
    some_votes(campaign, 4)
    assert cost() == before <= 20


def test_days_are_read_by_their_index(campaign: Campaign) -> None:
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        operations.hours()
        operations.excluded()
        cursor.execute("SET LOCAL enable_seqscan = off")
        # has the time too, behind another column, and costs as little where there are no rows
        cursor.execute("DROP INDEX battle_rules_read")
        plans = []
        for each in asked.captured_queries[:3]:
            cursor.execute(f"EXPLAIN {each['sql']}")
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
    for plan, index in zip(
        plans, ("arena_battle_created_at", "arena_vote_created_at", "exclusion_by_day"), strict=True
    ):
        assert index in plan, plan


def test_there_is_nothing_on_it_that_somebody_wrote(campaign: Campaign, client: Client) -> None:
    voted(make_participant(campaign), text="xagupareta da hau")
    assert "xagupareta" not in client.get(PAGE).content.decode()
