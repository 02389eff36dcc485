from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.expected import Expectation, fit_expectation
from ranking.fit import fit_bradley_terry
from ranking.tally import Tally
from ranking.types import TieRule
from tests.ranking.builders import NAMES, Vote, make_tally, votes_strategy
from tests.ranking.volunteers import BOTH_WAYS, EXPECTED, PUBLISHED, STRENGTHS


def expectation(tally: Tally, strengths: np.ndarray) -> Expectation:
    return fit_expectation(tally.counts.astype(np.float64), strengths)


def test_the_published_board_predicts_its_own_ties_and_wins() -> None:
    gaps = STRENGTHS[:, None] - STRENGTHS[None, :]
    met = PUBLISHED.counts.sum(axis=2)
    decisive = met - PUBLISHED.counts[:, :, 2]
    favoured = np.maximum(EXPECTED.a_wins(gaps), EXPECTED.a_wins(-gaps)) * decisive
    won = np.where(gaps > 0, PUBLISHED.counts[:, :, 0], PUBLISHED.counts[:, :, 1])
    assert (EXPECTED.tie(gaps) * met).sum() == pytest.approx(PUBLISHED.counts[:, :, 2].sum(), abs=1)
    assert favoured.sum() == pytest.approx(won.sum(), rel=0.01)


def test_half_win_strengths_are_stretched_and_decisive_ones_are_not() -> None:
    assert EXPECTED.scale == pytest.approx(1.239, abs=0.002)
    decisive = fit_bradley_terry(PUBLISHED, ties=TieRule.DROP).strengths
    assert fit_expectation(BOTH_WAYS, decisive).scale == pytest.approx(1, abs=0.002)


def test_a_table_that_names_the_better_model_first_has_a_side_and_none_once_it_is_turned() -> None:
    assert expectation(PUBLISHED, STRENGTHS).side > 0.04
    assert EXPECTED.side == pytest.approx(0, abs=1e-6)


def test_ties_are_rarer_between_unequal_models() -> None:
    ties = EXPECTED.tie(np.array([0.0, 0.5, -0.5, 2.0]))
    assert ties[0] > ties[1] > ties[3]
    assert ties[1] == pytest.approx(ties[2])
    assert ties[0] == pytest.approx(0.226, abs=0.002)


def test_a_side_that_wins_more_is_told_apart_from_strength() -> None:
    tally = make_tally("x>y*30", "y>x*30", "x<y*10", "y<x*10")
    found = expectation(tally, fit_bradley_terry(tally).strengths)
    assert found.side == pytest.approx(np.log(3), abs=0.05)
    assert found.a_wins(np.array([0.0])) == pytest.approx([0.75], abs=0.01)


@pytest.mark.parametrize("written", [("x>y*9",), ("x=y*9",), ("x>y", "y>x"), ()])
def test_few_votes_give_an_expectation_without_silly_numbers(written: tuple[str, ...]) -> None:
    found = expectation(make_tally(*written, models=["x", "y"]), np.zeros(2))
    even = np.zeros(1)
    assert 0.02 < found.a_wins(even)[0] < 0.98
    assert 0.02 < found.tie(even)[0] < 0.98


def test_equal_strengths_keep_the_slope_that_strengths_promise() -> None:
    assert expectation(make_tally("x>y*9", "x<y*9"), np.zeros(2)).scale == pytest.approx(1, abs=1e-6)


def test_no_model_at_all_is_no_error() -> None:
    assert expectation(Tally.empty([]), np.zeros(0)).scale == pytest.approx(1, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(votes_strategy, st.lists(st.floats(-2, 2), min_size=5, max_size=5))
def test_wins_and_ties_add_up_to_those_observed_save_for_the_votes_added(
    votes: list[Vote], drawn: list[float]
) -> None:
    tally, strengths = Tally.from_votes(votes, NAMES), np.array(drawn)
    found = expectation(tally, strengths)
    gaps = strengths[:, None] - strengths[None, :]
    met, wins = tally.counts.sum(axis=2), tally.counts[:, :, 0]
    decisive = wins + tally.counts[:, :, 1]
    assert (found.a_wins(gaps) * decisive).sum() == pytest.approx(wins.sum(), abs=1 + 1e-4)
    assert (found.tie(gaps) * met).sum() == pytest.approx((met - decisive).sum(), abs=4 / 3 + 1e-4)


def test_weighted_votes_count_by_their_weight() -> None:
    counts = PUBLISHED.counts.astype(np.float64)
    half, twice = fit_expectation(counts / 2, STRENGTHS), fit_expectation(counts * 2, STRENGTHS)
    assert half.scale == pytest.approx(twice.scale, abs=0.01)
    skewed = fit_expectation(counts * np.array([3.0, 1, 1, 1]), STRENGTHS)
    assert skewed.side > half.side + 0.5
