"""A backup is whole or there is none; what is restored equals what was saved, and what was in use stays until then."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from pytest_django.fixtures import Settings

from arena import env, tasks
from arena.backups import folders, tools
from arena.database import elsewhere
from arena.errors import BackupRefused
from arena.models import Campaign, Release, Vote
from arena.selectors import backups as noted
from arena.selectors.releases import folder_of
from arena.services import boards, restore
from arena.services.backups import back_up
from arena.services.erasure import erase_participant
from arena.services.retention import retain
from ranking.selectors import live_board
from ranking.types import Criterion
from tests.arena.backed_up import BACK, OTHER, campaign, places, some_votes, told
from tests.arena.builders import make_participant
from tests.arena.databases import database, databases
from tests.arena.planted import plant, stored
from tests.arena.releases.made import held, over
from tests.arena.test_leaving import n_votes, voted

__all__ = ["campaign", "places"]
pytestmark = pytest.mark.django_db(transaction=True)


# There and back


def test_a_restored_database_has_the_same_rows_tallies_rankings_and_published_boards(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    some_votes(campaign)
    boards.publish(campaign.board)
    saved, ranking = noted.state(), live_board(board=campaign.board, criterion=Criterion.OVERALL)
    made = told(capsys, "backup")
    some_votes(campaign, 1)
    with database(BACK):
        back = told(capsys, "restore", made["backup"])
        assert (back["migrated"], back["replayed"], back["kept"]) == (0, 0, "")
        assert noted.state() == saved
        assert saved.boards[0].snapshot_checksum
        assert live_board(board=campaign.board, criterion=Criterion.OVERALL) == ranking
        call_command("rebuild_tally", check=True)
        voted(make_participant(campaign), "Sekuentziak ere itzuli dira")
    assert n_votes(campaign) == 7


def test_files_are_of_their_owner_and_counts_by_address_stay_out(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO arena_cache VALUES ('198.51.100.7', 'x', now())")
    made = Path(told(capsys, "backup")["backup"])
    modes = {path.stat().st_mode & 0o777 for path in [made, *made.rglob("*")]}
    assert modes == {0o700, 0o600}
    with database(BACK):
        call_command("restore", made)
        assert noted._count("SELECT count(*) FROM arena_cache") == 0


def test_what_is_voted_while_a_backup_is_made_is_in_it_whole_or_not_at_all(
    campaign: Campaign, places: Path
) -> None:
    """The tally that was saved is that of the votes that were saved, wherever among the votes the moment fell."""
    over, n_cast = threading.Event(), 0

    def vote() -> None:
        nonlocal n_cast
        try:
            while not over.is_set():
                voted(make_participant(campaign))
                n_cast += 1
                first.set()
        finally:
            connections.close_all()

    first = threading.Event()
    voter = threading.Thread(target=vote)
    voter.start()
    try:
        assert first.wait(60)
        before = n_cast
        made = back_up(places / "backups")
    finally:
        over.set()
        voter.join()
    saved = made.manifest.state.rows["arena_vote"]
    assert before <= saved <= n_cast
    with database(BACK):
        call_command("restore", made.folder)
        assert Vote.objects.count() == saved == n_votes(campaign)


def test_who_was_erased_since_is_gone_when_the_restore_ends(
    campaign: Campaign, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    planted = plant(campaign)
    made = told(capsys, "backup")
    erase_participant(participant_id=planted.participant.pk)
    log: Path = settings.LEHIA_ERASURE_LOG
    with database(BACK):
        assert told(capsys, "restore", made["backup"])["replayed"] > 0
        assert stored() == {}
        boards.rebuild(board=campaign.board, check=True)
    kept = log.read_text()
    log.unlink()
    with database(BACK):
        with pytest.raises(CommandError, match="log of erasures is missing"):
            call_command("restore", made["backup"])
        log.with_name("beste-ostalaria").write_text(kept)
        call_command("restore", made["backup"], erasures=[log.with_name("beste-ostalaria")])
        assert stored() == {}
    assert log.read_text() == kept


def test_files_of_releases_come_back_and_those_on_hold_that_lack_some_are_made_anew(
    campaign: Campaign,
    capsys: pytest.CaptureFixture[str],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(seconds=-2))
    some_votes(campaign)
    final = over(held("lehena", ["judgements.jsonl.gz"]))
    waits, lacks = (held(slug, ["judgements.jsonl.gz"]) for slug in ("bigarrena", "hirugarrena"))
    shutil.rmtree(folder_of(lacks))
    made = told(capsys, "backup")
    assert made["releases_lacking"] == ["hirugarrena"]
    files = {path.name: path.read_bytes() for path in folder_of(final).iterdir()}
    shutil.rmtree(settings.LEHIA_RELEASES)
    with database(BACK):
        assert told(capsys, "restore", made["backup"])["releases_lacking"] == []
        assert {path.name: path.read_bytes() for path in folder_of(final).iterdir()} == files
        assert {each.slug: each.is_behind for each in Release.objects.exclude(pk=final.pk)} == {
            "bigarrena": False,
            "hirugarrena": True,
        }
    shutil.rmtree(settings.LEHIA_RELEASES)
    shutil.rmtree(Path(made["backup"]) / folders.RELEASES / waits.slug)
    shutil.rmtree(Path(made["backup"]) / folders.RELEASES / final.slug)
    with database(BACK), pytest.raises(CommandError, match="is missing"):
        call_command("restore", made["backup"])


# In the place of another


def test_a_database_in_use_is_replaced_when_asked_and_kept_under_another_name(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    some_votes(campaign, 2)
    made = told(capsys, "backup")
    name = str(connection.settings_dict["NAME"])
    with database(OTHER, like=name):
        voted(make_participant(campaign))
        with pytest.raises(CommandError, match="not empty") as refused:
            call_command("restore", made["backup"])
        assert (refused.value.returncode, n_votes(campaign)) == (2, 3)
        kept = told(capsys, "restore", made["backup"], replace=True)["kept"]
        assert databases(OTHER) == [OTHER, kept]
        assert (Vote.objects.count(), n_votes(campaign)) == (2, 2)
        with elsewhere.database(kept):
            assert (Vote.objects.count(), n_votes(campaign)) == (3, 3)


@pytest.mark.parametrize(
    "step",
    [
        "swap",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("load", "migrate", "check", "replay")),
    ],
)
def test_a_restore_that_fails_leaves_the_old_database_in_place(
    campaign: Campaign, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    made = told(capsys, "backup")

    def fails(*_: Any, **__: Any) -> Any:
        raise OSError("scripted")

    where = {
        "load": (tools, "load"),
        "migrate": (restore, "call_command"),
        "check": (restore, "_check_tallies"),
        "replay": (restore, "replay"),
        "swap": (psycopg.Connection, "transaction"),
    }
    with database(OTHER, like=str(connection.settings_dict["NAME"])):
        voted(make_participant(campaign))
        with monkeypatch.context() as broken:
            broken.setattr(*where[step], fails)
            with pytest.raises(CommandError, match="scripted"):
                call_command("restore", made["backup"], replace=True)
        assert databases(OTHER) == [OTHER]
        assert n_votes(campaign) == 1


def test_an_empty_database_is_empty_again_when_the_restore_fails(
    campaign: Campaign, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = told(capsys, "backup")
    with database(BACK):
        with monkeypatch.context() as broken:
            broken.setattr(restore, "_check_tallies", lambda: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                call_command("restore", made["backup"])
        assert noted.is_empty()
        call_command("restore", made["backup"])


def test_nothing_is_restored_while_the_site_is_connected(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    made = told(capsys, "backup")
    with (
        database(BACK),
        elsewhere.connect(),
        pytest.raises(CommandError, match="stop the site"),
    ):
        call_command("restore", made["backup"])


def test_a_backup_of_an_older_state_is_brought_forward(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    some_votes(campaign, 2)
    with database(OTHER, like=str(connection.settings_dict["NAME"])):
        call_command("migrate", "arena", "0034", verbosity=0)
        made = told(capsys, "backup")
    behind = noted.known_migrations() - {*folders.read(Path(made["backup"])).migrations}
    assert "arena.0035_doubts_alike_are_found_by_index" in behind
    with database(BACK):
        assert told(capsys, "restore", made["backup"])["migrated"] == len(behind)
        assert noted.known_migrations() == {*noted.applied_migrations()}
        assert n_votes(campaign) == 2


# What ends early, and what goes


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_on_a_full_disk_there_is_no_backup_and_what_is_left_goes_with_the_next(
    campaign: Campaign, tmp_path: Path
) -> None:
    disk = tmp_path / "txikia"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        with pytest.raises(CommandError, match="there is no backup"):
            call_command("backup", output=disk)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_draft_that_a_fall_left_is_no_backup_and_goes_with_the_next(
    campaign: Campaign, places: Path
) -> None:
    left = places / "backups" / ".unfinished-lehia-20261101T000000Z"
    left.mkdir(parents=True)
    (left / folders.DATABASE).write_bytes(b"PGDMP")
    with pytest.raises(CommandError, match="no whole backup"):
        call_command("restore", left)
    made = back_up(places / "backups")
    assert list((places / "backups").iterdir()) == [made.folder]


def test_one_backup_is_made_at_a_time(places: Path) -> None:
    with (
        folders.drafting(places / "backups", "bat", lock=places / "lock"),
        pytest.raises(BackupRefused, match="another backup"),
        folders.drafting(places / "backups", "bi", lock=places / "lock"),
    ):
        raise AssertionError("both had it")


def test_tools_that_are_too_old_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert tools.fitting("pg_dump", least=noted.postgres_major()).major >= noted.postgres_major()
    with pytest.raises(
        BackupRefused, match=r"pg_dump 99 or newer is needed \(found: .*\d.*postgresql-client-99"
    ):
        tools.fitting("pg_dump", least=99)
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, version in ((old, 97), (new, 99)):
        folder.mkdir()
        script = folder / "pg_dump"
        script.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.1 (Debian)'\n")
        script.chmod(0o755)
    monkeypatch.setattr(tools, "BIN", new)
    monkeypatch.setenv("PATH", str(old), prepend=os.pathsep)
    assert tools.fitting("pg_dump", least=97) == tools.Tool(old / "pg_dump", 97)
    assert tools.fitting("pg_dump", least=98) == tools.Tool(new / "pg_dump", 99)


def test_no_row_is_told_when_a_tool_fails() -> None:
    said = b'pg_restore: error: COPY failed for table "x": ERROR:  invalid\nDETAIL:  Xagu\nCONTEXT:  COPY x, line 1: "Xagu"\n'
    assert tools._said(said) == 'pg_restore: error: COPY failed for table "x": ERROR:  invalid'


# Every day


def test_the_worker_makes_one_at_the_time_that_is_set(
    campaign: Campaign, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folders.read(Path(tasks.back_up())).state == noted.state()
    monkeypatch.setenv("LEHIA_BACKUP_AT", "03:30")
    assert env.clock_time("LEHIA_BACKUP_AT") == time(3, 30)
    monkeypatch.setenv("LEHIA_BACKUP_AT", "")
    assert env.clock_time("LEHIA_BACKUP_AT") is None


def test_old_backups_go_whole(campaign: Campaign, places: Path, settings: Settings) -> None:
    settings.EMAIL_FILE_PATH, settings.REDIS_URL = str(places / "mail"), "unix:///nowhere"
    made = back_up(places / "backups").folder
    old = made.with_name("lehia-20261001T000000Z")
    shutil.copytree(made, old)
    for path in (old / folders.MANIFEST, made / folders.DATABASE):
        os.utime(path, (0, 0))
    assert retain(dry_run=True)["backups"] == 1
    assert retain()["backups"] == 1
    assert folders.all_in(places / "backups") == [made]
    assert folders.read(made)
