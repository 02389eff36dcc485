"""What is kept for a time is really deleted afterwards, and nothing before."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from arena.models import ApiToken, ApiTokenUse, Battle, Campaign, Draw, Participant, Session, User, Vote
from arena.services import retention
from arena.services.people import choose_nickname, join_guest
from arena.services.retention import RULES, retain
from arena.services.tokens import issue, note_use
from ranking.models import Board
from ranking.types import BoardKind
from tests.arena.builders import make_campaign, make_participant, ready_battle
from tests.arena.test_leaving import n_votes, voted
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db
NONE = dict.fromkeys((rule.name for rule in RULES), 0) | {"valkey_file": 1}


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def folders(settings: Settings, tmp_path: Path, valkey: Valkey) -> Path:
    settings.REDIS_URL = valkey.url
    settings.LEHIA_DATA, settings.LEHIA_BACKUPS = tmp_path, tmp_path / "backups"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    settings.LEHIA_ERASURE_LOG = tmp_path / "erasures.jsonl"
    for each in ("backups/nightly", "mail", "logs"):
        (tmp_path / each).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


def only(**told: int) -> dict[str, int]:
    return NONE | told


def aged(path: Path, days: float) -> Path:
    path.write_text("Xagu")
    at = (timezone.now() - timedelta(days=days)).timestamp()
    os.utime(path, (at, at))
    return path


def test_where_nothing_is_old_nothing_goes(campaign: Campaign) -> None:
    account(campaign)
    assert retain() == NONE


def test_sessions_go_when_they_are_over() -> None:
    over, stands = Client().session, Client().session
    for each in (over, stands):
        each["zerbait"] = 1
        each.save()
    Session.objects.filter(pk=over.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert retain(dry_run=True)["sessions"] == 1
    assert retain() == only(sessions=1)
    assert list(Session.objects.values_list("pk", flat=True)) == [stands.session_key]


def test_a_login_that_was_not_finished_is_forgotten_after_a_day_and_the_guest_stays(
    campaign: Campaign,
) -> None:
    guest = make_participant(campaign)
    old, new = Client().session, Client().session
    for each in (old, new):
        each["participant"] = str(guest.pk)
        each["account_login"] = {"email": "xagu@adibidea.eus", "code": "KODE-KODE"}
        each.save()
    yesterday = Session.objects.get(pk=old.session_key).expire_date - timedelta(days=1, minutes=1)
    Session.objects.filter(pk=old.session_key).update(expire_date=yesterday)
    assert retain(dry_run=True)["unfinished_logins"] == 1
    assert retain() == only(unfinished_logins=1)
    kept = Session.objects.get(pk=old.session_key)
    assert kept.get_decoded() == {"participant": str(guest.pk)}
    assert (kept.participant_id, kept.expire_date) == (guest.pk, yesterday)
    assert "account_login" in Session.objects.get(pk=new.session_key).get_decoded()


def test_addresses_that_limits_counted_go_once_they_count_no_more(settings: Settings) -> None:
    cache.set("allauth:rl:account:login:5/300/ip:198.51.100.7", [1.0], 300)
    cache.set("allauth:rl:account:login:5/300/ip:198.51.100.8", [1.0], 300)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE arena_cache SET expires = now() - interval '1 second' WHERE cache_key LIKE '%.7'"
        )
    assert retain(dry_run=True)["counts_of_limits"] == 1
    assert retain() == only(counts_of_limits=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM arena_cache")
        assert [row[0].endswith(".8") for row in cursor.fetchall()] == [True]


def test_an_account_that_nobody_confirmed_goes_after_a_month() -> None:
    found = [User.objects.create_user(f"u{n}", f"u{n}@adibidea.eus") for n in range(4)]
    for each, verified in zip(found, (False, True, False, False), strict=True):
        EmailAddress.objects.create(user=each, email=each.email, verified=verified, primary=True)
    User.objects.filter(pk__in=[each.pk for each in found[:3]]).update(
        date_joined=timezone.now() - timedelta(days=31)
    )
    User.objects.filter(pk=found[2].pk).update(is_staff=True)
    assert retain(dry_run=True) == only(unconfirmed_accounts=1) | {"valkey_file": 0}
    assert User.objects.count() == 4
    assert retain() == only(unconfirmed_accounts=1)
    assert set(User.objects.values_list("username", flat=True)) == {"u1", "u2", "u3"}


# After a raffle


def account(campaign: Campaign, name: str = "ane") -> Participant:
    user = User.objects.create_user(name, f"{name}@adibidea.eus", last_login=timezone.now())
    own = join_guest(guest_id=make_participant(campaign).pk, user=user)
    choose_nickname(participant_id=own.pk, nickname=name)
    own.refresh_from_db()
    voted(own)
    return own


def long_ago(campaign: Campaign, days: int = 61) -> None:
    """All that happened did so then, and the raffle was drawn."""
    at = timezone.now() - timedelta(days=days)
    for rows, field in (
        (Battle.objects, "created_at"),
        (Vote.objects, "created_at"),
        (User.objects, "last_login"),
    ):
        rows.update(**{field: at})
    Draw.objects.create(campaign=campaign, prizes=1, seed="0" * 64, commitment="0" * 64, drawn_at=at)


def test_the_address_goes_sixty_days_after_the_draw_and_the_vote_stays(campaign: Campaign) -> None:
    own = account(campaign)
    long_ago(campaign)
    assert retain(dry_run=True)["accounts_after_the_draw"] == 1
    assert retain() == only(accounts_after_the_draw=1)
    own.refresh_from_db()
    assert (own.user, own.nickname, own.erased_at) == (None, "", None)
    assert not User.objects.exists()
    assert n_votes(campaign) == 1
    assert retain() == NONE


def test_winners_can_be_written_to_until_then(campaign: Campaign) -> None:
    account(campaign)
    long_ago(campaign, days=59)
    assert retain() == NONE


def logs_in(own: Participant, _campaign: Campaign) -> None:
    User.objects.update(last_login=timezone.now() - timedelta(days=59))


def votes_again(own: Participant, _campaign: Campaign) -> None:
    voted(own, "Berriro")


def holds_a_token(own: Participant, _campaign: Campaign) -> None:
    assert own.user is not None
    issue(owner=own.user, name="Ikerketa", scopes=[], expires_at=timezone.now() + timedelta(days=1))


def is_staff(_own: Participant, _campaign: Campaign) -> None:
    User.objects.update(is_staff=True)


def waits_for_another_draw(own: Participant, campaign: Campaign) -> None:
    battle = ready_battle(own)
    other = Campaign.objects.get(pk=campaign.pk)
    other.pk, other.slug, other.is_default = uuid4(), "bigarrena", False
    other.opens_at, other.closes_at = timezone.now() - timedelta(days=99), timezone.now()
    other.board = Board.objects.create(slug="bigarrena", name="Bigarrena", kind=BoardKind.LIVE.value)
    other.save(force_insert=True)
    Battle.objects.filter(pk=battle.pk).update(
        campaign=other, created_at=F("created_at") - timedelta(days=61)
    )
    Draw.objects.create(campaign=other, prizes=1, seed="1" * 64, commitment="1" * 64)


@pytest.mark.parametrize("stays", [logs_in, votes_again, holds_a_token, is_staff, waits_for_another_draw])
def test_whoever_is_still_here_or_waits_for_a_draw_keeps_the_account(
    campaign: Campaign, stays: object
) -> None:
    own = account(campaign)
    long_ago(campaign)
    assert callable(stays)
    stays(own, campaign)
    assert retain() == NONE
    assert User.objects.exists()


def test_without_a_raffle_accounts_stay(campaign: Campaign) -> None:
    account(campaign)
    User.objects.update(last_login=timezone.now() - timedelta(days=400))
    Battle.objects.update(created_at=timezone.now() - timedelta(days=400))
    assert retain() == NONE


# Counts and files


def test_uses_of_tokens_go_after_a_year() -> None:
    owner = User.objects.create_user("ikerlea")
    token = issue(owner=owner, name="x", scopes=[], expires_at=timezone.now() + timedelta(days=1)).token
    note_use(token_id=token.pk, scope=None)
    ApiTokenUse.objects.create(
        token=token, scope="", day=timezone.now().date() - timedelta(days=366), requests=3
    )
    assert retain() == only(uses_of_tokens=1)
    assert ApiTokenUse.objects.get().requests == 1
    assert ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("rule", "place", "days"), [("mails", "mail", 7), ("backups", "backups/nightly", 30)]
)
def test_files_go_when_they_are_old(folders: Path, rule: str, place: str, days: int) -> None:
    old, new = aged(folders / place / "a", days + 0.1), aged(folders / place / "b", days - 0.1)
    assert retain(dry_run=True)[rule] == 1
    assert old.exists()
    assert retain() == only(**{rule: 1})
    assert (old.exists(), new.exists()) == (False, True)


def test_days_are_settings(folders: Path, settings: Settings) -> None:
    kept = aged(folders / "backups" / "a", 29)
    assert retain() == NONE
    settings.LEHIA_BACKUP_DAYS = 28
    assert retain() == only(backups=1)
    assert not kept.exists()


def test_logs_are_set_aside_once_a_day_while_they_are_written_and_go_after_a_month(folders: Path) -> None:
    today = timezone.localdate()
    old = folders / "logs" / f"lehia.log.{today - timedelta(days=31)}"
    young = folders / "logs" / f"lehia.log.{today - timedelta(days=30)}"
    other = folders / "logs" / "lehia.log.gero"
    for each in (old, young, other):
        each.write_text("lehen")
    with (folders / "logs" / "lehia.log").open("a") as log:
        log.write("gaur\n")
        log.flush()
        assert retain(dry_run=True)["logs"] == 1
        assert retain() == only(logs=1)
        log.write("gero\n")
        log.flush()
        assert retain() == NONE
    assert (folders / "logs" / "lehia.log").read_text() == "gero\n"
    assert (folders / "logs" / f"lehia.log.{today}").read_text() == "gaur\n"
    assert (old.exists(), young.exists(), other.exists()) == (False, True, True)


# Whoever asks for it


def test_the_command_shows_what_would_go_and_says_what_went(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aged(folders / "mail" / "a", 8)
    call_command("retain", dry_run=True)
    assert json.loads(capsys.readouterr().out) == only(mails=1) | {"valkey_file": 0}
    call_command("retain")
    assert json.loads(capsys.readouterr().out) == only(mails=1)


def test_a_rule_that_fails_keeps_none_of_the_others(
    folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object) -> int:
        raise PermissionError("scripted")

    broken = retention.Rule("broken", "", breaks)
    monkeypatch.setattr(retention, "RULES", (broken, *RULES))
    aged(folders / "mail" / "a", 8)
    with pytest.raises(CommandError, match="broken"):
        call_command("retain")
    assert json.loads(capsys.readouterr().out) == only(mails=1)


def test_beat_follows_the_rules_every_hour(settings: Settings) -> None:
    from arena import tasks

    entry = settings.CELERY_BEAT_SCHEDULE["retain"]
    assert (entry["task"], entry["schedule"]) == (tasks.retain.name, 3600.0)
    assert tasks.retain() == NONE


def test_the_table_of_the_documents_is_that_of_the_rules(repository: Path, settings: Settings) -> None:
    text = (repository / "docs" / "privacy.md").read_text()
    told = re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\| (?:`(\w+)` \((\d+) days\)|[^|]*) \|", text, re.MULTILINE)
    assert [(name, setting, int(days or 0)) for name, setting, days in told] == [
        (rule.name, rule.setting, rule.days) for rule in RULES
    ]


def test_the_page_says_when_addresses_go(client: Client, campaign: Campaign, settings: Settings) -> None:
    settings.LEHIA_RAFFLE_EMAIL_DAYS = 47
    assert "47 egun" in client.get(reverse("privacy")).content.decode()
