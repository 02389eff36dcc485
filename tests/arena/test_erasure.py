"""Erasure reaches every table, stream and file, whoever starts it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from arena import beats, streams
from arena.beats import Beat, Change
from arena.errors import StaffStays
from arena.models import ApiToken, Battle, Campaign, Doubt, Export, Report, Session, User, Vote
from arena.personal import REASONS, Fate, columns
from arena.services.accounts import ERASED
from arena.services.erasure import erase_account, erase_participant
from arena.services.exports import key_of
from arena.services.sessions import forget_unfinished
from tests.arena.builders import RUNNER, make_campaign
from tests.arena.planted import (
    ADDRESS,
    SECOND_ADDRESS,
    WORD,
    Planted,
    mail_folder,
    plant,
    stored,
    text_columns,
)
from tests.arena.test_streams import written
from tests.valkey import Valkey, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def files(settings: Settings, valkey: Valkey) -> Iterator[None]:
    settings.REDIS_URL = valkey.url
    settings.EMAIL_FILE_PATH = str(mail_folder())
    with redis.Redis.from_url(valkey.url) as server:
        server.flushall()
    yield
    for path in mail_folder().glob("*.log"):
        path.unlink()


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def planted(campaign: Campaign) -> Planted:
    return plant(campaign)


def of_fate(fate: Fate) -> set[str]:
    return {f"{each.table}.{each.name}" for each in columns() if each.fate is fate}


# The register


@pytest.mark.django_db
def test_every_text_column_of_the_database_has_a_fate() -> None:
    """Whoever adds a column says in ``arena.personal`` what erasing somebody does with it."""
    assert {f"{table}.{column}" for table, column in text_columns()} == {
        f"{each.table}.{each.name}" for each in columns()
    }


def test_what_is_kept_says_why() -> None:
    assert {each.table for each in columns() if each.fate is Fate.KEPT} == set(REASONS)


# What goes


def test_what_is_said_to_be_erased_is_there_before_and_nowhere_afterwards(planted: Planted) -> None:
    """Were a column planted that the register does not erase, or erased one that nothing is planted in, this would say so."""
    assert set(stored()) == of_fate(Fate.ERASED)
    erase_participant(participant_id=planted.participant.pk)
    assert stored() == {}


def test_nothing_of_others_goes_with_it(planted: Planted) -> None:
    before = (Vote.objects.count(), Battle.objects.count(), Report.objects.count())
    erase_participant(participant_id=planted.participant.pk)
    assert (Vote.objects.count(), Battle.objects.count(), Report.objects.count()) == before
    planted.judge.refresh_from_db()
    assert planted.judge.erased_at is None
    assert planted.judge.votes.filter(exclusions__reason="withdrawn").count() == 0
    assert User.objects.get().username == "begirale"


def test_what_was_queued_of_their_texts_and_found_of_their_votes_goes(planted: Planted) -> None:
    assert Doubt.objects.exists()
    assert planted.participant.findings.exists()
    erase_participant(participant_id=planted.participant.pk)
    assert not Doubt.objects.exists()
    assert not planted.participant.findings.exists()


def test_their_tokens_open_nothing_and_say_nothing(planted: Planted, client: Client) -> None:
    sent = {"Authorization": f"Bearer {planted.token}"}
    assert client.get("/api/v1/token", headers=sent).status_code == 200
    erase_participant(participant_id=planted.participant.pk)
    assert client.get("/api/v1/token", headers=sent).status_code == 401
    token = ApiToken.objects.get()
    assert (token.owner, token.name, token.revoked_at is None) == (None, ERASED, False)


def test_a_login_that_was_begun_is_forgotten_and_the_browser_stays_whose_it_is(planted: Planted) -> None:
    browser = Client().session
    browser["participant"] = str(planted.judge.pk)
    browser["account_login"] = {"email": ADDRESS.lower()}
    browser.save()
    other = Client().session
    other["account_login"] = {"email": "jon@adibidea.eus"}
    other.save()
    assert forget_unfinished([ADDRESS]) == 2
    kept = [each.get_decoded() for each in Session.objects.filter(account_id=None)]
    assert {"participant": str(planted.judge.pk)} in kept
    assert {"account_login": {"email": "jon@adibidea.eus"}} in kept
    assert Session.objects.filter(participant_id=planted.judge.pk).exists()


def test_mails_that_are_files_go_and_those_of_others_stay(planted: Planted) -> None:
    other = mail_folder() / "jon.log"
    other.write_text("To: jon@adibidea.eus")
    assert len(list(mail_folder().glob("*.log"))) == 2
    erase_participant(participant_id=planted.participant.pk)
    assert list(mail_folder().glob("*.log")) == [other]


# Accounts


def test_who_never_took_part_is_erased_by_the_account(campaign: Campaign) -> None:
    user = User.objects.create_user("Xaguikerlea", "xagu@adibidea.eus")
    assert erase_account(user_id=user.pk) == []
    assert not User.objects.exists()
    assert stored() == {}


def test_an_account_with_a_participant_is_erased_with_all_of_it(planted: Planted) -> None:
    assert erase_account(user_id=planted.user.pk) == [planted.running.battle_id]
    assert stored() == {}
    planted.participant.refresh_from_db()
    assert planted.participant.erased_at is not None


def test_under_whose_name_others_stand_a_row_is_left_that_names_nobody(planted: Planted) -> None:
    Export.objects.create(
        by=planted.user, key=key_of("ad-hoc"), layout="kto", format="jsonl", cutoff="2026-11-01T00:00Z",
        rows=1, size_bytes=1, sha256="0", version="0",
    )  # fmt: skip
    LogEntry.objects.create(user=planted.user, object_repr="zerbait", action_flag=1)
    erase_participant(participant_id=planted.participant.pk)
    assert stored() == {}
    left = User.objects.exclude(username="begirale").get()
    assert (left.username, left.email, left.is_active) == (left.public_id.hex, "", False)
    assert not left.has_usable_password()
    assert Export.objects.get().by == left


def test_staff_are_erased_once_they_are_no_staff(planted: Planted) -> None:
    with pytest.raises(StaffStays):
        erase_account(user_id=planted.staff.pk)
    User.objects.filter(pk=planted.staff.pk).update(is_staff=False)
    erase_account(user_id=planted.staff.pk)
    assert not User.objects.filter(username="begirale").exists()
    assert LogEntry.objects.count() == 2


# Whoever starts it


def admin_of(planted: Planted, *, may: bool = True) -> Client:
    user = planted.staff
    if may:
        user.user_permissions.set(Permission.objects.filter(codename__in=["delete_user", "view_user"]))
    user.user_permissions.add(Permission.objects.get(codename="view_participant"))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("listed", ["user", "participant"])
def test_staff_erase_from_a_list_of_the_admin_once_they_are_sure(planted: Planted, listed: str) -> None:
    one = planted.user if listed == "user" else planted.participant
    client, address = admin_of(planted), reverse(f"admin:arena_{listed}_changelist")
    form = {"action": "erase", "_selected_action": str(one.pk)}
    if listed == "user":
        assert client.get(reverse("admin:arena_user_change", args=[one.pk])).status_code == 200
        assert client.get(reverse("admin:arena_user_delete", args=[one.pk])).status_code == 403
    assert "sure" in client.post(address, form).content.decode()
    assert stored()
    assert client.post(address, form | {"sure": "1"}).status_code == 302
    assert stored() == {}
    entry = LogEntry.objects.latest("pk")
    assert (entry.user, entry.object_id, entry.object_repr) == (planted.staff, str(one.pk), ERASED)


def test_staff_without_the_permission_are_not_offered_it(planted: Planted) -> None:
    form = {"action": "erase", "_selected_action": str(planted.participant.pk), "sure": "1"}
    admin_of(planted, may=False).post(reverse("admin:arena_participant_changelist"), form)
    assert stored()


def test_staff_are_told_that_staff_stay(planted: Planted) -> None:
    form = {"action": "erase", "_selected_action": str(planted.staff.pk), "sure": "1"}
    answer = admin_of(planted).post(reverse("admin:arena_user_changelist"), form, follow=True)
    assert "langile" in answer.content.decode()
    assert User.objects.filter(pk=planted.staff.pk).exists()


def test_a_command_erases_by_an_address_or_a_participant(planted: Planted) -> None:
    call_command("erase", email=SECOND_ADDRESS.upper())
    assert stored() == {}
    call_command("erase", participant=planted.judge.pk)
    planted.judge.refresh_from_db()
    assert planted.judge.erased_at is not None
    for unknown in ({"email": SECOND_ADDRESS}, {"participant": planted.judge.pk}):
        with pytest.raises(CommandError):
            call_command("erase", **unknown)


# Streams


def stream_of(planted: Planted, text: str) -> str:
    key = streams.turn_key(planted.running.pk, RUNNER)
    with redis.Redis.from_url(streams_url()) as server:
        server.xadd(key, {streams.FIELD: beats.encode(Beat(Change(1, 0, text)))})
    return key


def streams_url() -> str:
    from django.conf import settings

    return str(settings.REDIS_URL)


def test_streams_of_their_turns_go_and_those_of_others_stay(planted: Planted) -> None:
    mine = stream_of(planted, f"{WORD} bizirik")
    other = streams.turn_key(uuid4(), RUNNER)
    with redis.Redis.from_url(streams_url()) as server:
        server.xadd(other, {streams.FIELD: b"x"})
        erase_participant(participant_id=planted.participant.pk)
        assert not server.exists(mine)
        assert server.exists(other)
        server.delete(other)
        orders = server.lrange(f"lehia:orders:{RUNNER.hex}", 0, -1)
    assert orders == [f"forget {planted.running.battle_id.hex}".encode()]


def test_valkeys_file_is_written_anew_so_that_it_holds_no_deleted_stream(
    planted: Planted, valkey: Valkey
) -> None:
    stream_of(planted, f"{WORD}-fitxategian")
    with redis.Redis.from_url(valkey.url) as server:
        server.config_set("appendfsync", "always")
        assert f"{WORD}-fitxategian".encode() in valkey.files()
        erase_participant(participant_id=planted.participant.pk)
        assert valkey.settled()
    assert f"{WORD}-fitxategian".encode() not in valkey.files()


def test_without_valkey_they_are_erased_all_the_same(planted: Planted, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    erase_participant(participant_id=planted.participant.pk)
    assert stored() == {}
    assert not streams.compact(settings.REDIS_URL)


async def test_a_turn_that_is_forgotten_leaves_no_stream_whatever_is_written_afterwards(
    valkey: Valkey,
) -> None:
    journal, turn = streams.Journal(valkey.url, RUNNER, lambda *_: None), uuid4()
    log = journal.open(turn, lambda: Beat(Change(1, 0, f"{WORD} osorik")))
    async with redis.asyncio.Redis.from_url(valkey.url) as server:
        await written(journal)
        assert await server.exists(streams.turn_key(turn, RUNNER))
        log.forget()
        await written(journal)
        assert not await server.exists(streams.turn_key(turn, RUNNER))
        journal.add(log, Beat(Change(1, 0, f"{WORD} berriro")))
        journal.close(log)
        await journal.settle()
        assert not await server.exists(streams.turn_key(turn, RUNNER))
