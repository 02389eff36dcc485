from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.errors import DisconnectedTally, UnboundedTally
from ranking.fit import fit_bradley_terry, fit_points
from ranking.points import points_of, ties_of, wins_of
from ranking.tally import Tally
from ranking.types import POINT_RULES, TieRule
from tests.ranking.builders import Vote, make_tally, ring, simulated, votes_strategy


@given(votes_strategy)
def test_counts_and_floats_give_the_points_that_a_tally_gives(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes)
    for counts in (tally.counts, tally.counts.astype(np.float64)):
        assert (wins_of(counts) == tally.wins()).all()
        assert (ties_of(counts) == tally.ties()).all()
        for ties in POINT_RULES:
            assert (points_of(counts, ties) == tally.points(ties)).all()


@pytest.mark.parametrize("ties", POINT_RULES)
def test_whole_points_fit_as_their_tally_does(ties: TieRule) -> None:
    tally = simulated(np.linspace(-1, 1, 6), per_pair=30, tie_rate=0.3, rng=np.random.default_rng(8))
    fit = fit_points(tally.points(ties), ties=ties)
    assert fit.strengths == pytest.approx(fit_bradley_terry(tally, ties=ties).strengths, abs=1e-9)
    assert fit.ties is ties


@given(st.floats(1e-3, 1e3))
def test_only_the_proportions_of_weights_matter(scale: float) -> None:
    points = ring(4, times=3).points() + make_tally("m0>m2*5", models=ring(4).models).points()
    assert fit_points(points * scale).strengths == pytest.approx(fit_points(points).strengths, abs=1e-6)


def test_a_weight_of_a_half_is_half_a_vote() -> None:
    points = np.array([[0.0, 1.5], [0.5, 0.0]])
    fit = fit_points(points)
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(3))


def test_a_warm_start_changes_nothing() -> None:
    points = ring(5, times=2).points() + 0.25 * (1 - np.eye(5))
    warm = fit_points(points, start=np.array([3.0, 0, -1, 4, 2]))
    assert warm.strengths == pytest.approx(fit_points(points).strengths, abs=1e-9)


def test_points_without_a_finite_maximum_say_why() -> None:
    with pytest.raises(UnboundedTally):
        fit_points(np.array([[0.0, 0.5], [0.0, 0.0]]))
    with pytest.raises(DisconnectedTally):
        fit_points(np.zeros((2, 2)))
