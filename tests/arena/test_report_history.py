"""How the ratings moved, from what was published."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from arena.reports import history
from arena.reports.base import Report
from arena.selectors.snapshots import evenly, latest_snapshot, snapshots_of
from ranking.lines import Lines
from ranking.models import Board, Snapshot
from ranking.tables import Value
from ranking.types import Criterion, TieRule
from tests.arena.boards import make_snapshot, published_board, source_of
from tests.arena.builders import make_campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def board() -> Board:
    return make_campaign().board


def built(board: Board, criterion: Criterion = Criterion.OVERALL) -> Report:
    return history.build(source_of(board, criterion))


def tables(report: Report) -> dict[str, list[dict[str, Value]]]:
    return {section.table.name: section.table.as_json() for section in report.sections}


def test_a_board_that_was_never_published_says_so(board: Board) -> None:
    make_snapshot(board, criterion=Criterion.CONTENT)
    report = built(board)
    assert report.sections == ()
    with translation.override("en"):
        assert "not been published" in str(report.reason)


def test_the_list_holds_what_was_published_newest_first(board: Board) -> None:
    older, newer = make_snapshot(board, 300), make_snapshot(board, 400)
    first, second = tables(built(board))["snapshots"]
    assert (first["votes"], second["votes"]) == (400, 300)
    assert (first["excluded"], first["code_version"]) == (7, newer.code_version)
    assert (first["checksum"], second["checksum"]) == (newer.checksum, older.checksum)
    assert datetime.fromisoformat(str(first["published_at"])) == newer.created_at.replace(microsecond=0)


def test_other_criteria_tie_rules_and_slices_are_other_histories(board: Board) -> None:
    make_snapshot(board, 300)
    make_snapshot(board, 310, criterion=Criterion.LANGUAGE)
    make_snapshot(board, 320, ties=TieRule.DROP)
    make_snapshot(board, 330, part="level:C1-C2")
    assert [row["votes"] for row in tables(built(board))["snapshots"]] == [300]
    assert [row["votes"] for row in tables(built(board, Criterion.LANGUAGE))["snapshots"]] == [310]


def test_ratings_are_those_of_the_snapshots_by_model_and_time(board: Board) -> None:
    made = [make_snapshot(board, n) for n in (300, 350, 400)]
    rows = tables(built(board))["ratings"]
    assert len(rows) == 12
    for snapshot, place in zip(made, range(3), strict=True):
        for row in snapshot.payload["ratings"]:
            found = [each for each in rows if each["model"] == row["model"]][place]
            assert [found[name] for name in ("rating", "low", "high")] == [
                row[name] for name in ("rating", "low", "high")
            ]


def test_each_model_is_a_line_with_its_last_interval(board: Board) -> None:
    make_snapshot(board, 300, models=("w", "x", "y", "old"))
    make_snapshot(board, 400)
    figure = built(board).sections[0].figure
    assert figure is not None
    assert isinstance(figure.geometry, Lines)
    by_name = {line.name: line for line in figure.geometry.lines}
    assert {*by_name} == {"w", "x", "y", "z", "old"}
    assert by_name["old"].y_low == ""
    assert float(by_name["old"].x) < float(by_name["w"].x)
    assert all(by_name[name].y_low for name in "wxyz")


def test_a_board_without_ratings_is_listed_and_not_drawn(board: Board, client: Client) -> None:
    make_snapshot(board, 1, models=("x", "y"))
    assert {*tables(built(board))} == {"snapshots"}
    assert client.get(reverse("report", args=[board.slug, "history"])).status_code == 200


def test_many_snapshots_are_thinned_evenly_and_keep_their_ends(
    board: Board, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(30, 41):
        make_snapshot(board, n)
    found = snapshots_of(board=board, criterion=Criterion.OVERALL)
    with django_assert_num_queries(2):
        assert [each.n_votes for each in evenly(found, 3)] == [30, 35, 40]
    assert [each.n_votes for each in evenly(found, 50)] == [*range(30, 41)]


def test_the_list_ends_at_the_newest_fifty(board: Board) -> None:
    for n in range(10, 62):
        make_snapshot(board, n, models=("x", "y"))
    rows = tables(built(board))
    assert [row["votes"] for row in rows["snapshots"]] == [*range(61, 11, -1)]


def test_a_snapshot_is_a_file_whose_checksum_can_be_computed_again(board: Board, client: Client) -> None:
    made = make_snapshot(board)
    row = tables(built(board))["snapshots"][0]
    answer = client.get(str(row["snapshot"]))
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert f"lehia-overall-{made.created_at:%Y%m%dT%H%M%SZ}.json" in answer["Content-Disposition"]
    whole = json.loads(answer.content)
    assert {*whole} == {field.name for field in Snapshot._meta.concrete_fields}
    assert (whole["payload"], whole["covariance"]) == (made.payload, made.covariance)
    left = {key: value for key, value in whole.items() if key not in {"id", "created_at", "checksum"}}
    text = json.dumps(left, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == whole["checksum"] == made.checksum


def test_the_page_links_each_snapshot(board: Board, client: Client) -> None:
    made = make_snapshot(board)
    text = client.get(reverse("report", args=[board.slug, "history"])).content.decode()
    assert f'<a href="/leaderboard/lehia/snapshots/{made.pk}/">JSON</a>' in text


def test_a_snapshot_is_found_under_its_own_board_only(board: Board, client: Client) -> None:
    made, other = make_snapshot(board), published_board()
    assert client.get(reverse("snapshot", args=[other.slug, made.pk])).status_code == 404
    assert client.get(reverse("snapshot", args=[board.slug, uuid4()])).status_code == 404
    assert client.post(reverse("snapshot", args=[board.slug, made.pk])).status_code == 405


def test_an_imported_board_has_no_history(client: Client) -> None:
    assert client.get(reverse("report", args=[published_board().slug, "history"])).status_code == 404


def test_the_last_one_is_found_without_reading_what_it_holds(
    board: Board, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert latest_snapshot(board=board, criterion=Criterion.OVERALL, ties=TieRule.HALF) is None
    make_snapshot(board, 300)
    newest = make_snapshot(board, 301)
    with django_assert_num_queries(1):
        found = latest_snapshot(board=board, criterion=Criterion.OVERALL, ties=TieRule.HALF)
        assert found == newest
        assert found is not None
        assert (found.cluster, found.created_at) == ("participant", newest.created_at)
