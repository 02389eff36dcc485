"""What the ratings expect of each pair, held against the votes."""

from __future__ import annotations

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from arena.reports import predicted
from arena.reports.base import Report
from ranking.heatmap import HeatMap
from ranking.scatter import Scatter
from ranking.tables import Value
from tests.arena.boards import live_board, published_board, source_of
from tests.ranking.builders import make_tally, ring

pytestmark = pytest.mark.django_db


def tables(report: Report) -> dict[str, list[dict[str, Value]]]:
    return {section.table.name: section.table.as_json() for section in report.sections}


def numbers(rows: list[dict[str, Value]], column: str) -> list[float]:
    return [float(value) for row in rows if (value := row[column]) is not None]


@pytest.fixture
def published() -> Report:
    return predicted.build(source_of(published_board()))


def test_the_published_votes_are_calibrated(published: Report) -> None:
    bins = tables(published)["calibration"]
    assert sum(numbers(bins, "votes")) == 12890
    gaps = np.array(numbers(bins, "observed")) - numbers(bins, "predicted")
    assert (np.abs(gaps) < 3.5 * np.array(numbers(bins, "standard_error"))).all()
    assert numbers(bins, "predicted") == sorted(numbers(bins, "predicted"))


def test_each_pair_has_three_outcomes_that_sum_to_one_and_its_counts(published: Report) -> None:
    pairs = tables(published)["predictions"]
    assert len(pairs) == 210
    assert sum(numbers(pairs, "battles")) == 12890
    whole = sum(np.array(numbers(pairs, f"predicted_{each}")) for each in ("win", "tie", "loss"))
    assert whole == pytest.approx(np.ones(210))
    for row in pairs:
        assert row["battles"] == int(row["wins"] or 0) + int(row["ties"] or 0) + int(row["losses"] or 0)


def test_the_ties_predicted_are_as_many_as_there_are(published: Report) -> None:
    pairs = tables(published)["predictions"]
    expected = np.array(numbers(pairs, "battles")) @ np.array(numbers(pairs, "predicted_tie"))
    assert expected == pytest.approx(sum(numbers(pairs, "ties")), rel=0.01)


def test_a_residual_has_the_sign_of_its_surplus(published: Report) -> None:
    for row in tables(published)["predictions"]:
        wins, ties, battles, z = (float(row[name] or 0) for name in ("wins", "ties", "battles", "z"))
        expected = float(row["predicted_win"] or 0) + float(row["predicted_tie"] or 0) / 2
        assert np.sign(z) == np.sign(wins + ties / 2 - battles * expected)


def test_the_lack_of_fit_is_told_for_both_ways_to_see_ties(published: Report) -> None:
    half, with_ties = tables(published)["lack_of_fit"]
    assert (half["tie_rule"], with_ties["tie_rule"]) == ("half", "rao-kupper")
    assert (half["degrees"], with_ties["degrees"]) == (210 - 20, 2 * 210 - 21)
    assert (half["chi_square"], with_ties["chi_square"]) == pytest.approx((218.05, 432.34), abs=0.01)
    assert (half["p_value"], with_ties["p_value"]) == pytest.approx((0.0797, 0.1205), abs=0.0001)
    assert (half["dispersion"], with_ties["dispersion"]) == pytest.approx((0.778, 1), abs=0.001)


def test_the_pictures_hold_all_bins_and_pairs(published: Report) -> None:
    calibration, pairs, _ = published.sections
    assert calibration.figure is not None
    assert pairs.figure is not None
    scatter, heat = calibration.figure.geometry, pairs.figure.geometry
    assert isinstance(scatter, Scatter)
    assert isinstance(heat, HeatMap)
    assert len(scatter.dots) == len(calibration.table.rows)
    assert scatter.diagonal
    assert len(heat.cells) == 420


def test_a_cell_is_shaded_by_its_distance_from_a_match_of_equals(published: Report) -> None:
    figure = published.sections[1].figure
    assert figure is not None
    assert isinstance(figure.geometry, HeatMap)
    top = figure.geometry.cells[:20]  # the best model's row: it leads each match
    assert all(cell.over for cell in top)
    assert all(not cell.over for cell in figure.geometry.cells[-20:])


def test_pairs_that_never_met_are_predicted_without_a_residual() -> None:
    tally = make_tally("x>y*8", "x<y*5", "y>z*8", "y<z*4", "x=y*3")
    rows = tables(predicted.build(source_of(live_board(tally))))["predictions"]
    (unmet,) = [row for row in rows if {row["model"], row["opponent"]} == {"x", "z"}]
    assert (unmet["battles"], unmet["z"]) == (0, None)
    assert float(unmet["predicted_win"] or 0) > float(unmet["predicted_loss"] or 0)


def test_where_ties_drown_the_wins_the_rest_is_shown_and_the_reason_said() -> None:
    report = predicted.build(source_of(live_board(make_tally("x>y", "y=x*4"))))
    assert {*tables(report)} == {"calibration", "lack_of_fit"}
    with translation.override("en"):
        assert "too few wins" in str(report.reason)
    assert len(tables(report)["lack_of_fit"]) == 1


def test_without_ties_nothing_is_predicted_to_be_one() -> None:
    rows = tables(predicted.build(source_of(live_board(ring(3, 20)))))["predictions"]
    assert numbers(rows, "predicted_tie") == [0, 0, 0]


def test_the_page_says_where_the_votes_should_lie(client: Client) -> None:
    text = client.get(reverse("report", args=[published_board().slug, "predicted"])).content.decode()
    assert 'class="equal"' in text
    assert ">nan<" not in text
    assert text.count('class="wide"') == 10
