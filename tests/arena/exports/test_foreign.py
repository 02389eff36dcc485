"""Votes of other arenas: imported by one command, exported by the other, equal in what both files have."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from arena.imports.plain import without_nulls
from arena.management.commands.export_preferences import BAD_INPUT
from arena.models import Export, ExportKey
from tests.arena.builders import make_campaign, make_participant
from tests.arena.exports.foreign import exported, report_of
from tests.arena.exports.made import publishable, voted
from tests.arena.imported import (
    FIRST,
    Row,
    ebaluatoia_row,
    lmarena_row,
    run,
    write_lines,
    write_parquet,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_a_while_passes")]


@pytest.mark.parametrize("form", ["jsonl", "jsonl.zst", "parquet"])
def test_rows_of_lmarena_come_back_as_they_were(form: str, tmp_path: Path) -> None:
    def message(role: str, text: str) -> Row:
        return {"role": role, "content": [{"type": "text", "text": text}], "num_tokens": len(text)}

    turn = {"user": message("user", "Kaixo"), "model_side_a": message("assistant", "Egun on!")}
    counts = {"turns": 1, "header_count_a": {"h1": 0, "h2": 3}, "bold_count_a": {"**": 1, "__": 0}}
    rows = [
        lmarena_row(
            number, full_conversation=[turn], conv_metadata=counts | {"sum_assistant_a_tokens": number}
        )
        for number in range(1, 30)
    ]
    run(write_parquet(tmp_path / "votes.parquet", rows), "lmarena")
    found = exported(tmp_path, "lmarena", form)
    assert without_nulls(found) == without_nulls(rows)


def test_what_contradicts_the_types_is_written_as_lines_alone(tmp_path: Path) -> None:
    run(write_lines(tmp_path / "votes.jsonl", [lmarena_row(category_tag="math")]), "lmarena")
    assert exported(tmp_path, "lmarena")[0]["category_tag"] == "math"
    with pytest.raises(CommandError, match="does not fit") as caught:
        report_of(tmp_path, "lmarena", "parquet")
    assert caught.value.returncode == BAD_INPUT
    assert not list(tmp_path.glob("*parquet*"))


def test_imported_votes_become_pairs_where_both_sides_were_asked_the_same(tmp_path: Path) -> None:
    system, *said = ebaluatoia_row()["conv_a"]
    other = [system, {"role": "user", "content": "Besterik"}, said[1]]
    unanswered = [system, *said, other[1]]
    rows = [
        ebaluatoia_row(1),
        ebaluatoia_row(2, conv_b=other),
        ebaluatoia_row(3, conv_a=[system, said[0]]),
        ebaluatoia_row(4, conv_a=unanswered, conv_b=unanswered),
    ]
    run(write_lines(tmp_path / "votes.jsonl", rows), "ebaluatoia")
    pairs = exported(tmp_path, "dpo")
    assert [(row["id"], row["criterion"]) for row in pairs] == [
        (rows[0]["id"], "overall"),
        (rows[0]["id"], "content"),
    ]
    assert pairs[0]["prompt"] == rows[0]["conv_a"][:2]
    assert (pairs[0]["chosen"], pairs[0]["rejected"]) == (rows[0]["conv_a"][2:], rows[0]["conv_b"][2:])
    run(write_lines(tmp_path / "more.jsonl", [lmarena_row()]), "lmarena", board="c")
    assert [row["label"] for row in exported(tmp_path, "kto", source="c")] == [False, False]


def test_our_own_votes_and_imported_ones_are_never_in_one_file(tmp_path: Path) -> None:
    campaign = make_campaign(candidates=2)
    publishable(campaign)
    voted(make_participant(campaign))
    run(write_lines(tmp_path / "votes.jsonl", [ebaluatoia_row()]), "ebaluatoia")
    [theirs] = exported(tmp_path, "ebaluatoia")
    [ours] = exported(tmp_path, "ebaluatoia", source="")
    assert (theirs["model_a"], theirs["id"]) == ("x", ebaluatoia_row()["id"])
    assert ours["model_a"] not in "xy"
    assert {path.name for path in tmp_path.glob("*ebaluatoia.jsonl")} == {
        "ebaluatoia.jsonl",
        "b-ebaluatoia.jsonl",
    }
    noted = {made.filters["source"]: made.key for made in Export.objects.all()}
    assert noted == {"": ExportKey.objects.get(), "b": None}, "what is not renamed needs no key"


def test_votes_are_chosen_by_when_they_were_cast_and_a_later_import_does_not_change_a_repeat(
    tmp_path: Path,
) -> None:
    rows = [
        ebaluatoia_row(number, user_language=level)
        for number, level in ((1, "A1-A2"), (2, None), (3, "A1-A2"))
    ]
    run(write_lines(tmp_path / "votes.jsonl", rows[:2]), "ebaluatoia")
    cutoff = timezone.now()
    first = report_of(tmp_path, "ebaluatoia", cutoff=cutoff)
    run(write_lines(tmp_path / "more.jsonl", rows), "ebaluatoia")
    assert report_of(tmp_path, "ebaluatoia", cutoff=cutoff)["sha256"] == first["sha256"]
    assert report_of(tmp_path, "ebaluatoia", preview=True)["battles"] == 3
    assert len(exported(tmp_path, "ebaluatoia", level="A1-A2")) == 2
    second = FIRST + timedelta(seconds=2)
    assert [row["id"] for row in exported(tmp_path, "ebaluatoia", until=second)] == [rows[0]["id"]]
    assert len(exported(tmp_path, "ebaluatoia", since=second)) == 2


def test_personal_data_stays_in_the_plain_layout_alone(tmp_path: Path) -> None:
    said = [
        {"role": "user", "content": "Idatzi kanario@example.com helbidera"},
        ebaluatoia_row()["conv_a"][-1],
    ]
    run(write_lines(tmp_path / "votes.jsonl", [ebaluatoia_row(conv_a=said, conv_b=said)]), "ebaluatoia")
    for layout in ("ebaluatoia", "ebaluatoia-sanitized", "lmarena", "dpo", "kto"):
        text = json.dumps(exported(tmp_path, layout))
        assert ("kanario@" in text) is (layout == "ebaluatoia"), layout
    asked = {"role": "user", "content": [{"type": "text", "text": "kanario@example.com"}]}
    answer = lmarena_row()["conversation_a"][1]
    row = lmarena_row(
        conversation_a=[asked, answer], conversation_b=[asked, answer], full_conversation=[{"user": asked}]
    )
    run(write_lines(tmp_path / "more.jsonl", [row]), "lmarena", board="c")
    assert "kanario@" not in json.dumps(exported(tmp_path, "lmarena", source="c"))


@pytest.mark.parametrize(
    ("layout", "options", "words"),
    [
        ("ebaluatoia", {}, "choose one of lmarena, dpo, kto"),
        ("judgements", {}, "choose one of"),
        ("unvoted", {}, "choose one of"),
        ("lmarena", {"source": "ez-dago"}, "no board ez-dago"),
        ("lmarena", {"campaign": "lehia"}, "neither a campaign"),
        ("lmarena", {"excluded": "keep"}, "nor reasons"),
    ],
)
def test_what_an_import_does_not_know_is_refused(
    layout: str, options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    run(write_lines(tmp_path / "votes.jsonl", [lmarena_row()]), "lmarena")
    with pytest.raises(CommandError, match=words) as caught:
        report_of(tmp_path, layout, **options)
    assert caught.value.returncode == BAD_INPUT
