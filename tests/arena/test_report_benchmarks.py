"""Votes and benchmarks: the numbers of the page."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from arena.reports import benchmarks
from arena.reports.base import Report, Source
from arena.selectors.benchmarks import has_scores, stored_benchmarks
from ranking import reference
from ranking.board import build_board
from ranking.correlation import LANGUAGES, published_benchmarks
from ranking.models import Board
from ranking.scores import Score, scores_of
from ranking.selectors import board_tally
from ranking.services import replace_tally, store_scores
from ranking.tables import Value
from ranking.types import BoardKind, Criterion
from tests.arena.builders import make_campaign
from tests.ranking.builders import make_tally, ring

pytestmark = pytest.mark.django_db


@pytest.fixture
def published() -> Board:
    make_campaign()
    call_command(
        "import_preferences",
        str(reference.pairs_path()),
        layout="pairs",
        board=reference.BOARD_SLUG,
        stdout=io.StringIO(),
    )
    for language in LANGUAGES:
        store_scores(scores=scores_of(published_benchmarks(language), language))
    return Board.objects.get(slug=reference.BOARD_SLUG)


def ring_board(m: int, *criteria: Criterion) -> Board:
    """A board of equally good models, m0 and so on."""
    board = Board.objects.create(slug="b", name="B", kind=BoardKind.IMPORTED.value)
    replace_tally(board=board, tallies=dict.fromkeys(criteria or (Criterion.OVERALL,), ring(m, 5)))
    return board


def ladder_board() -> Board:
    """m0 is better than m1, it than m2, it than m3."""
    tally = make_tally(
        *(f"m{i}>m{j}*6" for i in range(4) for j in range(i + 1, 4)), "m3>m0", "m3>m1", "m3>m2"
    )
    board = Board.objects.create(slug="b", name="B", kind=BoardKind.IMPORTED.value)
    replace_tally(board=board, tallies={Criterion.OVERALL: tally})
    return board


def report_of(board: Board) -> Report:
    tally = board_tally(board=board, criterion=Criterion.OVERALL)
    return benchmarks.build(Source(board, Criterion.OVERALL, tally, build_board(tally)))


def rows_of(report: Report, table: str) -> list[dict[str, Value]]:
    return next(each.table.as_json() for each in report.sections if each.table.name == table)


def test_the_stored_tables_are_those_that_were_stored(published: Board) -> None:
    stored = stored_benchmarks()
    assert tuple(stored) == LANGUAGES
    for language, found in stored.items():
        carried = published_benchmarks(language)
        order = [found.tasks.index(task) for task in carried.tasks]
        assert np.array_equal(found.of(carried.models)[:, order], carried.scores, equal_nan=True)


def test_the_correlations_are_those_of_the_refitted_ratings(published: Board) -> None:
    rows = rows_of(report_of(published), "correlations")
    found = {(row["language"], row["group"]): row for row in rows}
    study = found["eu", "study"]
    assert (study["models"], study["benchmarks"]) == (18, 14)
    assert study["rho"] == pytest.approx(0.880, abs=0.002)
    assert (study["rho_low"], study["rho_high"]) == pytest.approx((0.653, 0.962), abs=0.001)
    assert found["es", "study"]["rho"] == pytest.approx(-0.085, abs=0.002)
    everyone = found["eu", "measured"]
    assert (everyone["models"], everyone["benchmarks"]) == (21, 7)
    assert everyone["rho"] == pytest.approx(0.874, abs=0.002)


def test_the_published_ratings_give_the_measured_correlation_by_criterion(published: Board) -> None:
    rows = rows_of(report_of(published), "published_correlations")
    basque = {row["criterion"]: row["rho"] for row in rows if row["language"] == "eu"}
    assert basque == pytest.approx({"overall": 0.884, "content": 0.869, "language": 0.825}, abs=0.002)
    assert {row["group"] for row in rows} == {"study"}


def test_ranks_stand_beside_each_other_best_by_votes_first(published: Board) -> None:
    rows = rows_of(report_of(published), "ranks_eu")
    assert [row["number"] for row in rows] == list(range(1, 19))
    ratings = [float(row["rating"] or 0) for row in rows]
    assert ratings == sorted(ratings, reverse=True)
    assert [row["vote_rank"] for row in rows] == list(range(1, 19))
    llama = next(row for row in rows if row["model"] == "Llama-3.1-8B-Instruct")
    carried = published_benchmarks("eu")
    assert llama["mean_score"] == pytest.approx(carried.scores[carried.models.index("exp_0_001")].mean())


def test_another_board_correlates_with_whatever_was_measured() -> None:
    board = ladder_board()
    store_scores(scores=[Score("eu", "arc", f"m{i}", 90.0 - 10 * i) for i in range(4)])
    report = report_of(board)
    assert rows_of(report, "correlations") == [
        {
            "language": "eu",
            "criterion": "overall",
            "group": "measured",
            "models": 4,
            "benchmarks": 1,
            "rho": pytest.approx(1),
            "rho_low": None,
            "rho_high": None,
        }
    ]
    ranks = rows_of(report, "ranks_eu")
    assert [row["benchmark_rank"] for row in ranks] == [row["vote_rank"] for row in ranks] == [1, 2, 3, 4]
    assert "published_correlations" not in [each.table.name for each in report.sections]


def test_models_that_only_met_half_of_the_benchmarks_do_not_take_the_others_away() -> None:
    board = ladder_board()
    full = [Score("eu", f"t{task}", f"m{i}", 50.0 + i + task) for task in range(3) for i in range(3)]
    store_scores(scores=[*full, Score("eu", "t0", "m3", 1.0)])
    row = rows_of(report_of(board), "correlations")[0]
    assert (row["models"], row["benchmarks"]) == (3, 3)


def test_models_that_share_no_benchmark_have_no_order_and_no_picture() -> None:
    board = ladder_board()
    store_scores(scores=[Score("eu", "t0", "m0", 5.0), Score("eu", "t1", "m1", 5.0)])
    report = report_of(board)
    row = rows_of(report, "correlations")[0]
    assert (row["models"], row["benchmarks"], row["rho"]) == (2, 0, None)
    ranks = next(each for each in report.sections if each.table.name == "ranks_eu")
    assert ranks.figure is not None
    assert ranks.figure.geometry is None
    shown = [(row["benchmark_rank"], row["mean_score"]) for row in ranks.table.as_json()]
    assert shown == [(None, None), (None, None)]


def test_each_criterion_of_the_board_has_its_row() -> None:
    board = ring_board(4, *Criterion)
    store_scores(scores=[Score("es", "arc", f"m{i}", 10.0 * i) for i in range(4)])
    rows = rows_of(report_of(board), "correlations")
    assert [row["criterion"] for row in rows] == list(Criterion)
    assert [row["rho"] for row in rows] == [None] * 3  # equally good models have no order


def test_the_page_is_offered_where_a_model_of_the_board_was_measured(client: Client) -> None:
    board = ring_board(4)
    store_scores(scores=[Score("eu", "arc", "elsewhere", 1.0)])
    assert not has_scores(board)
    assert client.get(reverse("report", args=["b", "benchmarks"])).status_code == 404
    store_scores(scores=[Score("eu", "arc", "m1", 1.0)])
    assert has_scores(board)
    with translation.override("en"):
        assert "Fewer than two models" in str(report_of(board).reason)
    assert client.get(reverse("report", args=["b", "benchmarks"])).status_code == 200


def test_the_page_draws_the_ranks_and_gives_its_numbers_away(client: Client, published: Board) -> None:
    address = reverse("report", args=[published.slug, "benchmarks"])
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    text = client.get(address).content.decode()
    assert text.count('class="scatter"') == 3
    assert "style=" not in text
    assert "Basque benchmarks" in text
    whole = json.loads(client.get(address, {"format": "json"}).content)
    assert len(whole["ranks_eu"]) == 18
    assert client.get(address, {"format": "tex", "table": "correlations"}).status_code == 200
