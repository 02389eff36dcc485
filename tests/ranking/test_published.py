"""The golden test: the published board of 2025, from its 12,890 votes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ranking import reference
from ranking.board import BoardResult, build_board
from ranking.fit import fit_bradley_terry
from ranking.ranks import separated
from ranking.readers import Layout, read_tally
from ranking.tally import Tally
from ranking.types import Status
from ranking.uncertainty import sandwich_covariance


@pytest.fixture(scope="module")
def tally() -> Tally:
    return read_tally(reference.pairs_path(), layout=Layout.PAIRS)


@pytest.fixture(scope="module")
def board(tally: Tally) -> BoardResult:
    return build_board(tally)


def test_the_table_holds_the_published_votes(tally: Tally) -> None:
    assert len(tally.models) == 21
    assert tally.n_votes == 12_890
    assert tally.wins().sum() == 10_377
    assert tally.ties().sum() // 2 == 2_513
    assert set(tally.models) == {row.model for row in reference.published_ratings()}


def test_every_rating_is_within_two_points_of_the_published_one(board: BoardResult) -> None:
    published = {row.model: row.overall for row in reference.published_ratings()}
    off = {row.model: abs((row.rating or 0) - published[row.model]) for row in board.ratings}
    assert len(off) == 21
    assert max(off.values()) <= 2.0


def test_the_order_is_the_published_one_where_the_published_ratings_differ(board: BoardResult) -> None:
    published = {row.model: row.overall for row in reference.published_ratings()}
    in_our_order = [published[row.model] for row in board.ratings]
    assert in_our_order == sorted(in_our_order, reverse=True)


def test_the_mean_half_width_is_the_measured_one(board: BoardResult) -> None:
    widths = [row.half_width or np.nan for row in board.ratings]
    assert np.mean(widths) == pytest.approx(17.57, abs=0.02)


def test_every_row_is_ok(board: BoardResult) -> None:
    assert board.status is Status.OK
    assert {row.status for row in board.ratings} == {Status.OK}


def test_170_of_210_pairs_and_4_of_20_neighbours_are_told_apart(tally: Tally) -> None:
    fit = fit_bradley_terry(tally)
    better = separated(fit.strengths, sandwich_covariance(tally, fit), level=0.95)
    order = np.argsort(-fit.strengths)
    assert better.sum() == 170
    assert sum(better[i, j] for i, j in pairwise(order)) == 4


def test_the_five_tiers_are_those_between_the_separated_neighbours(board: BoardResult) -> None:
    tiers = [row.tier for row in board.ratings]
    assert [tiers.count(tier) for tier in range(1, 6)] == [1, 2, 12, 5, 1]


def test_the_ratings_have_mean_1000(board: BoardResult) -> None:
    assert np.mean([row.rating or np.nan for row in board.ratings]) == pytest.approx(1000)


def test_the_published_criteria_are_carried_along() -> None:
    first = reference.published_ratings()[0]
    assert (first.model, first.rank) == ("gpt-4o-2024-11-20", 1)
    assert (first.overall, first.content, first.language) == (1188, 1183, 1093)
