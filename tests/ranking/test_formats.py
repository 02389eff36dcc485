from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from ranking.board import BoardResult, Rating, build_board, build_board_from_ballots
from ranking.formats import FORMATS, render
from ranking.tally import Tally
from ranking.types import Criterion, TieRule
from tests.ranking.builders import make_tally, ring, simulated
from tests.ranking.crowds import make_ballots


def make_result() -> BoardResult:
    rng = np.random.default_rng(6)
    rated = simulated(np.linspace(0.4, -0.4, 4), per_pair=150, tie_rate=0.2, rng=rng)
    return build_board(rated.merged(make_tally("berria>m00*3", models=["berria", "m00", "zain"])))


def cells(line: str) -> list[str]:
    return line.split()


def test_every_format_ends_in_one_line_feed() -> None:
    for board in (make_result(), build_board(Tally.empty([]))):
        for how in FORMATS:
            assert render(board, how).endswith("\n")
            assert not render(board, how).endswith("\n\n")


def test_json_is_one_line_that_holds_the_board_to_the_last_digit() -> None:
    board = make_result()
    printed = render(board, "json")
    assert printed.count("\n") == 1
    assert json.loads(printed) == board.as_json()


def test_json_writes_names_as_they_are() -> None:
    assert "ñandú" in render(build_board(make_tally("ñandú>x")), "json")


def test_csv_has_the_columns_of_a_rating_and_quotes_what_must_be() -> None:
    board = build_board(make_tally('a,"b">c', 'c>a,"b"'))
    rows = list(csv.DictReader(io.StringIO(render(board, "csv"))))
    assert list(rows[0]) == list(Rating.__slots__)
    assert {row["model"] for row in rows} == {'a,"b"', "c"}


def test_csv_numbers_are_those_of_the_board() -> None:
    board = make_result()
    for row, printed in zip(board.ratings, csv.DictReader(io.StringIO(render(board, "csv"))), strict=True):
        assert printed["model"] == row.model
        assert (float(printed["rating"]) if printed["rating"] else None) == row.rating
        assert int(printed["n"]) == row.n
        assert printed["status"] == row.status.value


def test_the_tables_head_says_how_the_board_was_made() -> None:
    board = build_board(ring(3), criterion=Criterion.LANGUAGE, ties=TieRule.DROP, interval=0.9)
    head = render(board, "table").splitlines()[0]
    assert head == "3 votes, 3 models, language, ties drop, 90 % intervals, status provisional"


def test_the_tables_head_says_whose_votes_hang_together() -> None:
    ballots = make_ballots("ane: x>y y>x", "jon: x>y*2 y>x")
    head = render(build_board_from_ballots(ballots, cluster="judge"), "table").splitlines()[0]
    assert head == "5 votes, 2 models, overall, ties half, 95 % intervals by judge, status provisional"


def test_the_table_writes_a_dash_where_there_is_no_rating() -> None:
    lines = render(make_result(), "table").splitlines()
    assert cells(lines[-2]) == ["-", "-", "berria", "-", "-", "3", "3", "0", "0", "unbounded"]
    assert cells(lines[-1]) == ["-", "-", "zain", "-", "-", "0", "0", "0", "0", "empty"]


def test_the_columns_of_the_table_stand_below_their_titles() -> None:
    long = "a-model-with-quite-a-long-name-of-its-own"
    lines = render(build_board(make_tally(f"{long}>b", f"b>{long}")), "table").splitlines()[1:]
    assert len({len(line.rsplit("  ", 1)[0]) for line in lines}) == 1


@pytest.mark.parametrize("how", FORMATS)
def test_an_empty_board_can_be_written(how: str) -> None:
    assert "Infinity" not in render(build_board(Tally.empty([])), how)
