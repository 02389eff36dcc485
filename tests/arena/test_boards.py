"""The board's own page: its columns, its files, its tie rules, what was published."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from arena.templatetags.lehia import signed
from ranking import reference
from ranking.board import build_board
from ranking.models import Board
from ranking.readers import read_tally
from ranking.tally import Tally
from ranking.types import Criterion, TieRule
from tests.arena.boards import live_board, make_snapshot, published_board
from tests.arena.builders import make_candidate
from tests.ranking.builders import make_tally, ring, simulated

pytestmark = pytest.mark.django_db
STRENGTHS = np.array([0.6, 0.1, -0.7])


def three_criteria() -> list[Tally]:
    rng = np.random.default_rng(8)
    return [
        simulated(strengths, per_pair=80, tie_rate=0.3, rng=rng)
        for strengths in (STRENGTHS, 2 * STRENGTHS, STRENGTHS[::-1])
    ]


def page(client: Client, board: Board, **query: str) -> str:
    answer = client.get(reverse("board", args=[board.slug]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def in_english(client: Client) -> Client:
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    return client


def test_a_live_board_says_what_content_and_language_change(client: Client) -> None:
    overall, content, language = three_criteria()
    board = live_board(overall, content, language)
    whole = json.loads(client.get(f"/leaderboard/{board.slug}/", {"format": "json"}).content)
    rating = {
        criterion: {row.model: row.rating for row in build_board(tally).ratings if row.rating is not None}
        for criterion, tally in zip(Criterion, (overall, content, language), strict=True)
    }
    for row in whole["ratings"]:
        for criterion in (Criterion.CONTENT, Criterion.LANGUAGE):
            gap = rating[criterion][row["model"]] - rating[Criterion.OVERALL][row["model"]]
            assert row[f"{criterion}_difference"] == pytest.approx(gap)
            assert signed(gap) in page(client, board)


def test_the_difference_is_the_same_on_the_board_of_each_criterion(client: Client) -> None:
    board = live_board(*three_criteria())
    found = []
    for criterion in Criterion:
        answer = client.get(f"/leaderboard/{board.slug}/", {"format": "json", "criterion": criterion.value})
        rows = json.loads(answer.content)["ratings"]
        found.append(sorted((row["model"], round(row["content_difference"], 6)) for row in rows))
    assert found[0] == found[1] == found[2]


def test_a_board_of_one_criterion_has_no_columns_of_differences(client: Client) -> None:
    in_english(client)
    text = page(client, published_board())
    assert "Mean win probability" in text
    assert "Content: difference" not in text
    assert "Content: difference" in page(client, live_board(*three_criteria()))


def test_tier_model_and_interval_come_first(client: Client) -> None:
    text = page(in_english(client), live_board(*three_criteria()))
    heads = [each.split("<")[0] for each in text.split('<th scope="col">')[1:]]
    assert heads[:3] == ["Tier", "Model", "Confidence interval"]
    assert len(heads) == 10
    assert 'class="scroll"' in text.split("<table")[0]


@pytest.mark.parametrize("ties", TieRule)
def test_the_files_hold_the_board_as_the_command_line_prints_it(client: Client, ties: TieRule) -> None:
    board = published_board()
    expected = build_board(read_tally(reference.pairs_path()), ties=ties)
    query = {"format": "json", "ties": ties.value}
    whole = json.loads(client.get(f"/leaderboard/{board.slug}/", query).content)
    plain = expected.as_json()
    assert {key: whole[key] for key in plain if key != "ratings"} == {
        key: value for key, value in plain.items() if key != "ratings"
    }
    for row, other in zip(whole["ratings"], plain["ratings"], strict=True):
        assert {key: row[key] for key in other} == pytest.approx(other, nan_ok=False)
    assert whole["board"] == board.slug


def test_csv_and_latex_hold_a_line_a_model(client: Client) -> None:
    address = f"/leaderboard/{published_board().slug}/"
    answer = client.get(address, {"format": "csv"})
    assert answer["Content-Disposition"] == f'attachment; filename="{reference.BOARD_SLUG}-overall.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == 21
    mean = np.mean([float(row["win_probability"]) for row in rows])
    assert mean == pytest.approx(0.5)
    assert {row["content_difference"] for row in rows} == {""}
    latex = client.get(address, {"format": "tex"}).content.decode()
    assert latex.count(r"\\") == 22
    assert r"win\_probability" in latex


@pytest.mark.parametrize("query", [{"format": "xls"}, {"ties": "none"}, {"criterion": "style"}])
def test_what_is_not_there_is_not_found(client: Client, query: dict[str, str]) -> None:
    assert client.get(f"/leaderboard/{published_board().slug}/", query).status_code == 404


def test_a_tie_rule_changes_the_ratings_and_its_scale_is_said(client: Client) -> None:
    board = published_board()
    in_english(client)
    widths = {}
    told = {"half": "as on all pages", "rao-kupper": "an outcome of its own", "drop": "Ties are left out"}
    for ties, said in told.items():
        text = page(client, board, ties=ties)
        before, after = text.split("<table")
        assert said in (after if ties == "half" else before)  # a scale of its own is told before its numbers
        assert f'<option value="{ties}" selected>' in text
        assert f"criterion=overall&amp;ties={ties}&amp;format=csv" in text
        rows = json.loads(client.get(f"/leaderboard/{board.slug}/", {"ties": ties, "format": "json"}).content)
        ratings = [row["rating"] for row in rows["ratings"]]
        widths[ties] = max(ratings) - min(ratings)
    assert widths["half"] < widths["rao-kupper"]
    assert widths["half"] < widths["drop"]


def test_what_is_missing_does_not_depend_on_the_tie_rule(client: Client) -> None:
    board = live_board(*three_criteria())
    in_english(client)
    told = [re.search(r"About ([\d,.]+) more", page(client, board, ties=ties.value)) for ties in TieRule]
    assert all(told)
    assert len({found.group(1) for found in told if found}) == 1


@pytest.mark.parametrize("ties", TieRule)
@pytest.mark.parametrize(
    "tally",
    [
        Tally.empty([]),
        make_tally("x>y"),
        make_tally("x=y"),
        make_tally("x>y", "y=x*4"),
        make_tally("x>y", "y>x", "v>w", "w>v"),
        ring(3, 50).merged(make_tally("m0>new")),
    ],
)
def test_boards_with_little_to_say_say_it_by_any_tie_rule(
    client: Client, tally: Tally, ties: TieRule
) -> None:
    board = live_board(tally, tally)
    for criterion in Criterion:
        text = page(client, board, ties=ties.value, criterion=criterion.value)
        assert ">nan<" not in text
        answer = client.get(f"/leaderboard/{board.slug}/", {"ties": ties.value, "format": "json"})
        assert json.loads(answer.content)["n_votes"] == tally.n_votes


def test_the_last_published_board_is_linked_with_its_time(client: Client) -> None:
    board = live_board(*three_criteria())
    in_english(client)
    assert "snapshots/" not in page(client, board)
    make_snapshot(board, 300)
    made = make_snapshot(board, 400)
    make_snapshot(board, 500, criterion=Criterion.CONTENT)
    text = page(client, board)
    assert f"/leaderboard/{board.slug}/snapshots/{made.pk}/" in text
    assert "intervals clustered by volunteer" in text
    assert text.count("snapshots/") == 1
    assert "snapshots/" not in page(client, board, ties="drop")


def test_the_page_costs_the_same_queries_however_much_was_voted_and_published(client: Client) -> None:
    board = live_board(ring(3))
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as caught:
            page(client, board)
        counts.append(len(caught))
        board = live_board(*three_criteria())
        for n in (300, 301, 302):
            make_snapshot(board, n)
        for _ in range(5):
            make_candidate()
    assert (
        counts[0] == counts[1] <= 11
    )  # two of them ask whether recipes and benchmarks have anything to say of it


@given(st.floats(-3000, 3000))
def test_a_difference_has_the_sign_of_its_rounded_value(value: float) -> None:
    text = signed(value)
    assert (text[0] == "+", text[0] == "−") == (round(value) > 0, round(value) < 0)
    assert signed(None) == "—"
