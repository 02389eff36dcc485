"""What is no backup, or not the one that was made, is refused before anything is done."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from arena.backups import folders
from arena.backups.folders import BoardState, State
from arena.errors import BackupRefused
from arena.models import Campaign
from arena.selectors import backups as noted
from arena.services import restore
from tests.arena.backed_up import BACK, campaign, places, told
from tests.arena.builders import make_participant
from tests.arena.databases import database
from tests.arena.test_leaving import n_votes, voted

__all__ = ["campaign", "places"]
pytestmark = pytest.mark.django_db(transaction=True)


def broken(made: Path, how: str) -> None:  # noqa: C901  # a case a line
    dumped, manifest = made / folders.DATABASE, made / folders.MANIFEST
    whole = json.loads(manifest.read_text())
    match how:
        case "cut":
            os.truncate(dumped, dumped.stat().st_size // 2)
        case "bit":
            data = bytearray(dumped.read_bytes())
            data[len(data) // 2] ^= 1
            dumped.write_bytes(data)
        case "gone":
            dumped.unlink()
        case "headless":
            manifest.unlink()
        case "torn":
            os.truncate(manifest, 100)
        case "format":
            manifest.write_text(json.dumps(whole | {"format": 2}))
        case "newer":
            manifest.write_text(
                json.dumps(whole | {"migrations": [*whole["migrations"], "arena.9999_later"]})
            )
        case "server":
            manifest.write_text(json.dumps(whole | {"postgres": 99}))
        case "rows":
            whole["state"]["rows"]["arena_vote"] += 1
            manifest.write_text(json.dumps(whole))
        case "ratings":
            ratings = whole["state"]["boards"][0]["ratings"]
            ratings[min(ratings)] = 2.0
            manifest.write_text(json.dumps(whole))


REFUSED = {
    "cut": "checksum differs",
    "bit": "checksum differs",
    "gone": "database.dump is missing",
    "headless": "no whole backup",
    "torn": "cannot be read",
    "format": "format 2",
    "newer": "arena.9999_later",
    "server": "PostgreSQL 99",
}


def test_what_is_not_as_it_was_saved_is_refused_before_anything_is_done(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    voted(make_participant(campaign))
    made = Path(told(capsys, "backup")["backup"])
    assert told(capsys, "restore", made, verify=True)["rows"]["arena_vote"] == 1
    for how, says in REFUSED.items():
        copied = Path(shutil.copytree(made, made.with_name(how)))
        broken(copied, how)
        with pytest.raises(CommandError, match=says) as refused:
            call_command("restore", copied, replace=True)
        assert refused.value.returncode == 2
    assert n_votes(campaign) == 1
    with pytest.raises(CommandError, match="checksum differs"):
        call_command("restore", made.with_name("bit"), verify=True)


@pytest.mark.parametrize(
    ("how", "says"), [("rows", "1 rows in arena_vote, not 2"), ("ratings", "ratings differ")]
)
def test_what_does_not_give_what_was_saved_is_refused(
    campaign: Campaign, capsys: pytest.CaptureFixture[str], how: str, says: str
) -> None:
    voted(make_participant(campaign))
    made = Path(told(capsys, "backup")["backup"])
    broken(made, how)
    with database(BACK):
        with pytest.raises(CommandError, match=says):
            call_command("restore", made)
        assert noted.is_empty()


def test_ratings_are_the_same_to_a_millionth() -> None:
    def state(rating: float | None) -> State:
        return State({}, [BoardState("b", "overall", 1, "", "", {"m": rating})])

    restore._check(state(1.0), state(1.0 + 9e-7))
    restore._check(state(None), state(None))
    for other in (1.0 + 2e-6, None):
        with pytest.raises(BackupRefused, match="ratings differ"):
            restore._check(state(1.0), state(other))
    with pytest.raises(BackupRefused, match="missing"):
        restore._check(state(1.0), State({}, []))
