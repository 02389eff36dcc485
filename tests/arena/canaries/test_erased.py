"""Planted words are nowhere once who planted them is erased."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
import redis
from django.db import connection
from django.test import Client
from django.urls import reverse

from arena import beats, sessions, streams
from arena.beats import Beat, Change
from arena.models import Battle, ExportJob
from arena.services import releases, retention
from arena.services.erasure import erase_participant
from tests.arena.builders import RUNNER
from tests.arena.canaries.world import PUBLIC, Reader, World, leaks, ordered, unpacked
from tests.arena.planted import WORD, stored
from tests.arena.releases.made import held
from tests.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


def test_once_they_are_erased_nothing_is_left_anywhere(world: World, data: Path, valkey: Valkey) -> None:
    held()
    job = ordered(world)
    (data / "backups").mkdir()
    (data / "backups" / "atzo").write_text(f"{WORD} aurrekoa")
    with redis.Redis.from_url(valkey.url) as server:
        server.flushall()
        server.config_set("appendfsync", "always")
        key = streams.turn_key(world.planted.running.pk, RUNNER)
        server.xadd(key, {streams.FIELD: beats.encode(Beat(Change(1, 0, f"{WORD} bizirik")))})
        assert in_files(data) > {"mail", "exports", "releases"}
        erase_participant(participant_id=world.planted.participant.pk)
        releases.keep()
        retention.retain()
        assert stored() == {}
        assert in_tables() == []
        assert [
            each for each in server.scan_iter() if WORD.encode() in (server.dump(each) or b"").lower()
        ] == []
    assert valkey.settled()
    assert leaks(valkey.files().decode(errors="replace")) == []
    assert in_files(data) == {"backups"}
    assert not ExportJob.objects.get(pk=job.pk).file


def in_tables() -> list[str]:
    """Every column of every row as text, whatever its type."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row[0] for row in cursor.fetchall() if leaks(row[0]) or PUBLIC in row[0]]
    return found


def in_files(data: Path) -> set[str]:
    """The folders under the data folder in whose files they stand, packed ones unpacked; what may be published counts too, since it was theirs."""
    found = set()
    for path in data.rglob("*"):
        if path.is_file():
            try:
                text = unpacked(path)
            except (UnicodeDecodeError, zlib.error):
                text = path.read_bytes().decode(errors="replace")
            if leaks(text) or PUBLIC in text:
                found.add(path.relative_to(data).parts[0])
    return found


def test_the_erased_person_is_in_nobody_elses_view_of_the_past(world: World) -> None:
    """Also not to whoever was given a copy to judge."""
    client = Client()
    session = client.session
    sessions.remember_participant(session, world.planted.judge.pk)
    session.save()
    erase_participant(participant_id=world.planted.participant.pk)
    pair = Battle.objects.get(origin=world.planted.voted)
    read = Reader(client).go(
        "/me/", reverse("judged_pair", args=[pair.pk]), reverse("feedback", args=[pair.pk])
    )
    assert {address: found for address, text in read.items() if (found := leaks(text))} == {}
    assert any("200" in text[:3] for text in read.values())
