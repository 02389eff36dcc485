"""A backup that is restored is made to forget again what it brought back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone
from pytest_django.fixtures import Settings

from arena import erasure_log
from arena.embedded import postgres
from arena.erasure_log import Deed, Line
from arena.models import Battle, Campaign, Participant, User
from arena.selectors.people import has_consented
from arena.services import boards
from arena.services.erasure import erase_account, erase_participant
from arena.services.moderation import hide_battle, show_battle
from arena.services.people import give_consent, join_guest, withdraw_consent
from arena.services.replay import replay
from tests.arena.builders import make_campaign, make_participant, ready_battle
from tests.arena.planted import WORD, plant, stored
from tests.arena.test_leaving import n_votes, voted

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def log(settings: Settings, tmp_path: Path) -> Path:
    path = tmp_path / "apart" / "erasures.jsonl"
    settings.LEHIA_ERASURE_LOG = path
    return path


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def backup(tmp_path: Path) -> Callable[[], None]:
    """Save the database by pg_dump; what it returns restores that by pg_restore, over whatever is there."""
    told, file = connection.settings_dict, tmp_path / "backup"

    def tool(name: str, *argv: str) -> None:
        at = ["-h", str(told["HOST"]), "-U", str(told["USER"]), "-d", str(told["NAME"])]
        done = subprocess.run(
            [str(postgres.BIN / name), *at, *argv], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def restore() -> None:
        connections.close_all()
        tool("pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-owner", str(file))

    tool("pg_dump", "--format", "custom", "--file", str(file))
    return restore


Backup = Callable[[], None]


def replayed(capsys: pytest.CaptureFixture[str], *files: Path) -> dict[str, int]:
    capsys.readouterr()
    call_command("replay_erasures", *files)
    found: dict[str, int] = json.loads(capsys.readouterr().out)
    return found


def test_who_was_erased_after_the_backup_is_gone_from_the_restored_one(
    campaign: Campaign, request: pytest.FixtureRequest, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = plant(campaign)
    researcher = User.objects.create_user("Xaguikerlea", "xaguikerlea@adibidea.eus")
    restore: Backup = request.getfixturevalue("backup")
    erase_participant(participant_id=planted.participant.pk)
    erase_account(user_id=researcher.pk)
    assert stored() == {}
    assert WORD not in log.read_text().lower()
    restore()
    assert len(stored()) > 10
    assert replayed(capsys) == {"lines": 2, "erased": 2, "withdrawn": 0, "hidden": 0, "shown": 0}
    assert stored() == {}
    assert n_votes(campaign) == 0
    assert boards.rebuild(board=campaign.board, check=True)
    assert replayed(capsys) == {"lines": 2, "erased": 0, "withdrawn": 0, "hidden": 0, "shown": 0}
    assert len(log.read_text().splitlines()) == 2


def test_a_guest_who_joined_after_the_backup_is_erased_with_the_account(
    campaign: Campaign, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the backup the guest stands alone, and nothing there leads to the account."""
    user = User.objects.create_user("Xaguizena", "xagu@adibidea.eus")
    own = join_guest(guest_id=make_participant(campaign).pk, user=user)
    guest = make_participant(campaign)
    voted(guest, "Xagugaldera")
    restore: Backup = request.getfixturevalue("backup")
    join_guest(guest_id=guest.pk, user=user)
    erase_participant(participant_id=own.pk)
    restore()
    assert stored()["arena_turn.text"]
    replayed(capsys)
    assert stored() == {}
    assert Participant.objects.filter(erased_at__isnull=False).count() == 2


def test_a_withdrawal_holds_again_and_leaves_what_was_agreed_to_later(
    campaign: Campaign, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    left, stayed, came_back = (make_participant(campaign) for _ in range(3))
    for each in (left, stayed, came_back):
        voted(each)
    withdraw_consent(participant_id=came_back.pk, takes_votes=False)
    give_consent(participant_id=came_back.pk, campaign=campaign, language="eu", is_14_or_older=True)
    voted(came_back, "Berriro")
    restore: Backup = request.getfixturevalue("backup")
    withdraw_consent(participant_id=left.pk, takes_votes=True)
    withdraw_consent(participant_id=stayed.pk, takes_votes=False)
    restore()
    assert n_votes(campaign) == 4
    assert replayed(capsys)["withdrawn"] == 3
    assert n_votes(campaign) == 3
    assert [has_consented(each, campaign) for each in (left, stayed, came_back)] == [False, False, True]
    assert boards.rebuild(board=campaign.board, check=True)
    assert replayed(capsys)["withdrawn"] == 0


def test_what_was_hidden_is_hidden_again_and_what_was_shown_again_is_shown(
    campaign: Campaign, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    staff = User.objects.create_user("begirale", is_staff=True)
    hidden, shown, back = (ready_battle(make_participant(campaign)) for _ in range(3))
    hide_battle(battle_id=shown.pk, staff=staff)
    restore: Backup = request.getfixturevalue("backup")
    hide_battle(battle_id=hidden.pk, staff=staff)
    show_battle(battle_id=shown.pk, staff=staff)
    hide_battle(battle_id=back.pk, staff=staff)
    show_battle(battle_id=back.pk, staff=staff)
    restore()
    told = replayed(capsys)
    assert (told["hidden"], told["shown"]) == (1, 1)
    assert list(Battle.objects.filter(hidden_at__isnull=False)) == [hidden]


def test_who_was_staff_in_the_backup_is_erased_as_well(campaign: Campaign) -> None:
    user = User.objects.create_user("Xaguizena", is_staff=True)
    line = Line(at=timezone.now(), deed=Deed.ERASED, account=user.public_id)
    assert replay([line])[Deed.ERASED] == 1
    assert stored() == {}


# The log


def test_what_cannot_be_written_down_is_not_done(
    campaign: Campaign, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.LEHIA_ERASURE_LOG = tmp_path / "file" / "log"
    volunteer = make_participant(campaign)
    with pytest.raises(OSError, match="file"):
        erase_participant(participant_id=volunteer.pk)
    volunteer.refresh_from_db()
    assert volunteer.erased_at is None


def test_logs_of_several_hosts_are_read_as_one_in_the_order_of_time(tmp_path: Path) -> None:
    now, one, other = timezone.now(), tmp_path / "a", tmp_path / "b"
    lines = [Line(at=now + timedelta(seconds=n), deed=Deed.ERASED, participant=uuid4()) for n in range(4)]
    for place, line in enumerate(lines):
        erasure_log.append((one, other)[place % 2], line)
    erasure_log.append(other, lines[0])
    assert erasure_log.read([other, one]) == lines


def test_half_a_line_that_a_fall_left_is_nothing_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path, line = tmp_path / "log", Line(at=timezone.now(), deed=Deed.HIDDEN, battle=uuid4())
    erasure_log.append(path, line)
    path.write_bytes(path.read_bytes() + path.read_bytes()[:40])
    erasure_log.append(path, line)
    assert erasure_log.read([path]) == [line]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["zerbait", '{"at":"2026-11-01T00:00:00Z","deed":"burned"}'])
def test_a_line_that_cannot_be_read_stops_the_replay_before_it_begins(tmp_path: Path, content: str) -> None:
    path = tmp_path / "log"
    path.write_text(f"{content}\n")
    with pytest.raises(CommandError, match=r"log, line 1") as refused:
        call_command("replay_erasures", path)
    assert refused.value.returncode == 2
    with pytest.raises(CommandError):
        call_command("replay_erasures", tmp_path / "nowhere")
