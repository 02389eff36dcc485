"""How sure the ratings are: one by one and all at once."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from arena.reports import forest
from arena.reports.base import Source
from ranking.plot import IntervalPlot
from ranking.tables import Table
from ranking.tally import Tally
from tests.arena.boards import live_board, published_board, source_of
from tests.ranking.builders import make_tally, ring

pytestmark = pytest.mark.django_db
Row = dict[str, float]


def table_of(source: Source) -> Table:
    (section,) = forest.build(source).sections
    return section.table


def rows_of(source: Source) -> dict[str, Row]:
    numbers = table_of(source).as_json()
    return {
        str(row["model"]): {
            name: float(value) for name, value in row.items() if isinstance(value, int | float)
        }
        for row in numbers
    }


def test_what_holds_of_all_at_once_is_wider_than_what_holds_one_by_one() -> None:
    source = source_of(published_board())
    rows = rows_of(source)
    assert len(rows) == 21
    for row in source.result.ratings:
        found = rows[row.model]
        assert (found["rating"], found["low"], found["high"]) == (row.rating, row.low, row.high)
        reach = (found["simultaneous_high"] - found["rating"]) / (found["high"] - found["rating"])
        assert reach == pytest.approx(
            3.015 / 1.96, abs=0.01
        )  # max-t of 21 ratings beside the normal quantile
        assert found["simultaneous_low"] == pytest.approx(2 * found["rating"] - found["simultaneous_high"])
        assert found["simultaneous_rank_low"] <= found["rank_low"] <= found["rank_high"]
        assert found["rank_high"] <= found["simultaneous_rank_high"]


def test_the_chances_of_ranks_add_up_and_follow_the_board() -> None:
    rows = [*rows_of(source_of(published_board())).values()]
    assert sum(row["first"] for row in rows) == pytest.approx(1)
    assert sum(row["top_three"] for row in rows) == pytest.approx(3)
    assert all(0 <= row["first"] <= row["top_three"] <= 1 for row in rows)
    assert rows[0]["first"] == max(row["first"] for row in rows)


def test_the_same_votes_give_the_same_page() -> None:
    source = source_of(published_board())
    assert table_of(source) == table_of(source)


def test_the_chart_has_a_thin_line_round_each_thick_one(client: Client) -> None:
    board = published_board()
    (section,) = forest.build(source_of(board)).sections
    assert section.figure is not None
    plot = section.figure.geometry
    assert isinstance(plot, IntervalPlot)
    for bar in plot.bars:
        assert float(bar.x_wide_low) < float(bar.x_low) < float(bar.x_high) < float(bar.x_wide_high)
    text = client.get(reverse("report", args=[board.slug, "forest"])).content.decode()
    assert text.count('class="wide"') == text.count('class="range"') == 21


def test_of_two_models_both_are_among_three() -> None:
    rows = rows_of(source_of(live_board(make_tally("x>y*30", "x<y*20"))))
    assert [row["top_three"] for row in rows.values()] == [1, 1]
    assert rows["x"]["first"] + rows["y"]["first"] == pytest.approx(1)
    assert rows["x"]["first"] > 0.8


def test_a_model_without_a_rating_is_left_out() -> None:
    rows = rows_of(source_of(live_board(ring(3, 20).merged(make_tally("m0>new")))))
    assert {*rows} == {"m0", "m1", "m2"}


@pytest.mark.parametrize(
    ("tally", "reason"),
    [
        (Tally.empty([]), "no votes yet"),
        (make_tally("x>y"), "only won or only lost"),
        (make_tally("x>y", "y>x", "v>w", "w>v"), "never met"),
        (make_tally("x=y"), "not enough votes"),
    ],
)
def test_a_board_without_ratings_says_why(tally: Tally, reason: str) -> None:
    report = forest.build(source_of(live_board(tally)))
    assert report.sections == ()
    with translation.override("en"):
        assert reason in str(report.reason)
