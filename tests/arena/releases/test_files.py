"""What a release holds: the rows of one moment, with coarse times, boards that can be computed again, and checksums."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from arena.errors import ExportRefused, ReleaseRefused
from arena.exports.files import Format
from arena.exports.filters import Filters
from arena.exports.hours import by_the_hour
from arena.exports.layouts import LAYOUTS
from arena.exports.pseudonyms import Pseudonyms
from arena.management.commands.export_preferences import BAD_INPUT
from arena.models import Campaign, Export
from arena.selectors.releases import folder_of
from arena.services import exports, releases
from inference.models import Candidate
from inference.types import OutputsLicence
from ranking import cli
from ranking.ballots import Ballots
from ranking.types import Criterion
from tests.arena.builders import make_participant
from tests.arena.crowds import store
from tests.arena.exports.made import KEY, judged, record, voted
from tests.arena.releases.made import content, held, over, planned, prepared, rows, told

pytestmark = pytest.mark.django_db
UNTIL = datetime(2026, 3, 2, tzinfo=UTC)


def ranked(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    assert cli.main([str(path), "--format", "json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def same(ours: Any, theirs: Any) -> None:
    """To 1e-6, and the rest exactly."""
    assert {**ours, "ratings": None} == {**theirs, "ratings": None}
    for one, other in zip(ours["ratings"], theirs["ratings"], strict=True):
        numbers = {"rating", "low", "high"}
        assert {k: v for k, v in one.items() if k not in numbers} == {
            k: v for k, v in other.items() if k not in numbers
        }
        assert [one[k] for k in sorted(numbers)] == pytest.approx(
            [other[k] for k in sorted(numbers)], abs=1e-6
        )


@pytest.mark.parametrize("form", ["jsonl.gz", "parquet"])
def test_python_m_ranking_on_the_released_files_gives_the_released_boards(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(3)
    a, b = np.array([rng.choice(4, 2, replace=False) for _ in range(400)]).T
    models = ("a-1", "b-2", "c-3", "d-4")
    store(Ballots(models, a, b, rng.integers(0, 4, 400), rng.integers(0, 12, 400)))
    Candidate.objects.update(outputs_licence=OutputsLicence.CC0.value)
    release = held(contents=[f"ebaluatoia-sanitized.{form}", f"lmarena.{form}"])
    boards = told(release)["boards"]
    assert [(each["file"].partition(".")[0], each["criterion"]) for each in boards] == [
        *(("ebaluatoia-sanitized", each.value) for each in Criterion),
        ("lmarena", "overall"),
    ]
    for each in boards:
        found = ranked(folder_of(release) / each["file"], capsys, "--criterion", each["criterion"])
        assert found["n_votes"] == 400
        assert any(row["rating"] is not None for row in found["ratings"])
        same(found, each["board"])


def test_the_manifest_has_the_checksum_of_each_file_and_says_how_it_was_made(campaign: Campaign) -> None:
    for number in range(3):
        voted(make_participant(campaign), text=f"{number}. galdera")
    release = held(campaign=campaign.slug)
    said = told(release)
    lies = {name: text for name, text in content(release).items() if name not in {"manifest.json", ".ids"}}
    assert {each["name"]: each["sha256"] for each in said["files"]} == {
        name: hashlib.sha256(text).hexdigest() for name, text in lies.items()
    }
    assert {each.name: each.sha256 for each in release.files.exclude(name="manifest.json")} == {
        each["name"]: each["sha256"] for each in said["files"]
    }
    assert (said["state"], said["votes"], said["people"]) == ("held", 3, None)
    assert said["filters"]["campaign"] == campaign.slug
    assert said["code_version"]
    assert said["reproduce"][0].startswith("python -m ranking ebaluatoia-sanitized.jsonl.gz ")


def test_each_build_is_in_the_log_of_exports(campaign: Campaign) -> None:
    voted(make_participant(campaign))
    release = held()
    logged = Export.objects.filter(key=release.key)
    assert {f"{each.layout}.{each.format}" for each in logged} == set(release.contents)


def test_times_are_told_to_the_hour_in_every_layout(campaign: Campaign) -> None:
    battle = voted(make_participant(campaign))
    release = held(
        contents=[f"{name}.jsonl.gz" for name in LAYOUTS if name not in {"ebaluatoia", "unvoted", "spans"}]
    )
    hour = battle.vote.created_at.replace(minute=0, second=0, microsecond=0)
    for name in release.contents:
        for row in rows(release, name):
            if "timestamp" in row:
                assert datetime.fromisoformat(row["timestamp"]) == hour, name
    assert battle.vote.created_at.strftime("%S.%f").encode() not in b"".join(
        gzip.decompress(text) for name, text in content(release).items() if name.endswith(".gz")
    )


@given(st.lists(st.integers(0, 4 * 3600), max_size=30), st.binary(min_size=32, max_size=32))
def test_the_order_of_rows_tells_hours_and_nothing_else(seconds: list[int], key: bytes) -> None:
    pseudonyms = Pseudonyms(key)
    battles = [
        replace(record(vote=replace(judged(), at=UNTIL + timedelta(seconds=at))), id=UUID(int=number))
        for number, at in enumerate(sorted(seconds))
    ]
    found = list(by_the_hour(battles, pseudonyms))
    keys = [(each.vote.at, pseudonyms.id(each.id)) for each in found if each.vote]
    assert keys == sorted(keys)
    assert sorted(pseudonyms.id(each.id) for each in found) == sorted(
        pseudonyms.id(each.id) for each in battles
    )


def test_a_battle_without_a_time_has_no_place_in_that_order() -> None:
    with pytest.raises(ValueError, match="neither a vote nor an end"):
        list(by_the_hour([replace(record(), vote=None)], Pseudonyms(KEY)))


def test_two_releases_of_the_same_votes_share_no_id_and_no_order(campaign: Campaign) -> None:
    for number in range(8):
        voted(make_participant(campaign), text=f"{number}. galdera")
    one, two = rows(held("bat")), rows(held("bi"))
    assert not {row["id"] for row in one} & {row["id"] for row in two}
    told_by = [[row["conversation_a"][0]["content"][0]["text"] for row in each] for each in (one, two)]
    assert sorted(told_by[0]) == sorted(told_by[1])
    assert told_by[0] != told_by[1]


def copied(folder: Path, **options: Any) -> Any:
    out = io.StringIO()
    call_command("export_preferences", stdout=out, **{"output": folder, **options})
    return json.loads(out.getvalue())


def test_a_release_is_copied_as_it_is_frozen_whatever_is_voted_meanwhile(
    campaign: Campaign, tmp_path: Path
) -> None:
    voted(make_participant(campaign))
    release = held()
    first = copied(tmp_path / "1", release="lehia-1")
    voted(make_participant(campaign), text="geroago")
    again = copied(tmp_path / "2", release="lehia-1")
    assert [each["sha256"] for each in again["files"]] == [each["sha256"] for each in first["files"]]
    lies = {name: text for name, text in content(release).items() if name != ".ids"}
    for place in ("1", "2"):
        assert {each.name: each.read_bytes() for each in (tmp_path / place).iterdir()} == lies
    one = copied(tmp_path / "3", release="lehia-1", layout="lmarena", format="jsonl.gz")
    assert [Path(each["file"]).name for each in one["files"]] == ["lmarena.jsonl.gz"]


def test_a_second_build_of_the_same_votes_is_the_same_to_the_byte(campaign: Campaign) -> None:
    for number in range(5):
        voted(make_participant(campaign), text=f"{number}. galdera")
    release = held(contents=[f"lmarena.{each.value}" for each in Format], cutoff=timezone.now())
    first = content(release)
    voted(make_participant(campaign), text="geroago")
    releases.refresh(release_id=release.pk)
    assert content(release) == first


def test_a_file_that_was_changed_on_the_disk_is_not_given_away(campaign: Campaign, tmp_path: Path) -> None:
    voted(make_participant(campaign))
    release = held()
    (folder_of(release) / "lmarena.jsonl.gz").write_bytes(b"x")
    with pytest.raises(CommandError, match="not what it was"):
        copied(tmp_path / "1", release="lehia-1")
    assert not list((tmp_path / "1").glob("lmarena*"))


def test_a_release_cannot_be_copied_over_a_file_and_the_command_names_it(
    campaign: Campaign, tmp_path: Path
) -> None:
    voted(make_participant(campaign))
    held()
    taken = tmp_path / "beteta"
    taken.write_text("lehendik")
    with pytest.raises(CommandError, match=f"^{taken}: "):
        copied(taken, release="lehia-1")
    assert taken.read_text() == "lehendik"


@pytest.mark.parametrize(
    "options",
    [
        {"release": "nowhere"},
        {"release": "zirriborroa"},
        {"release": "lehia-1", "campaign": "lehia"},
        {"release": "lehia-1", "board": "lehia"},
        {"release": "lehia-1", "source": "ebaluatoia-2025"},
        {"release": "lehia-1", "level": "c"},
        {"release": "lehia-1", "preview": True},
        {"release": "lehia-1", "key": "beste"},
        {"release": "lehia-1", "any_licence": True},
        {"release": "lehia-1", "output": None},
        {"release": "lehia-1", "layout": "dpo"},
        {"release": "lehia-1", "layout": "lmarena", "format": "parquet"},
        {"layout": "lmarena", "key": "release-lehia-1"},
        {},
    ],
)
def test_what_a_release_does_not_hold_is_refused(
    campaign: Campaign, tmp_path: Path, options: dict[str, Any]
) -> None:
    voted(make_participant(campaign))
    held()
    prepared("zirriborroa")
    with pytest.raises(CommandError) as refused:
        copied(tmp_path / "1", **options)
    assert refused.value.returncode == BAD_INPUT
    assert not (tmp_path / "1").exists() or not list((tmp_path / "1").iterdir())


def test_only_our_own_votes_without_personal_details_are_released(campaign: Campaign) -> None:
    wrong: Iterable[tuple[tuple[str, ...], dict[str, Any]]] = [
        (("ebaluatoia.jsonl.gz",), {}),
        ((), {}),
        (("lmarena.jsonl.gz",), {"any_licence": True}),
        (("lmarena.jsonl.gz",), {"source": "ebaluatoia-2025"}),
    ]
    for contents, filters in wrong:
        with pytest.raises(ReleaseRefused):
            prepared("oker", contents, **filters)
    with pytest.raises(ExportRefused):
        prepared("oker", campaign="nowhere")
    for slug in ("Oker", "../x", "a/b", ".", "", "x" * 51):
        with pytest.raises(ReleaseRefused):
            prepared(slug)


def test_a_draft_says_what_it_would_hold_and_can_be_dropped(campaign: Campaign) -> None:
    voted(make_participant(campaign))
    draft = prepared()
    counts = releases.preview(planned())
    assert {name: each.battles for name, each in counts.items()} == dict.fromkeys(draft.contents, 1)
    releases.drop_draft(release_id=draft.pk)
    release = held()
    with pytest.raises(ReleaseRefused):
        releases.drop_draft(release_id=release.pk)


def test_filters_come_back_from_what_was_stored(campaign: Campaign) -> None:
    filters = Filters(exports.latest_cutoff(), campaign="lehia", since=UNTIL, excluded=True)
    assert Filters.from_json(json.loads(json.dumps(filters.as_json()))) == filters
    assert over(held()).final_at is not None
    assert len(KEY) == 32
