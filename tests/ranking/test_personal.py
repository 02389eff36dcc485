"""One volunteer's own ranking: laws of the shrinkage."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from ranking.personal import SPREAD, PersonalRating, personal_ranking
from ranking.ratings import CENTRE, SCALE
from ranking.tally import Tally
from ranking.types import Outcome

CROWD = {"a": 1100.0, "b": 1000.0, "c": 900.0}
Votes = list[tuple[str, str, Outcome]]
votes = st.lists(
    st.tuples(
        st.sampled_from([("a", "b"), ("b", "a"), ("a", "c"), ("c", "b"), ("b", "c")]),
        st.sampled_from(list(Outcome)),
    ).map(lambda drawn: (*drawn[0], drawn[1])),
    max_size=40,
)


def rated(cast: Votes, spread: float = SPREAD) -> dict[str, PersonalRating]:
    return {row.model: row for row in personal_ranking(Tally.from_votes(cast), CROWD, spread=spread)}


def loss(strengths: np.ndarray[tuple[int], np.dtype[np.float64]], cast: Votes) -> float:
    """The negative log-posterior, written out vote by vote."""
    theta = dict(zip(CROWD, strengths, strict=True))
    found = sum((theta[m] - (CROWD[m] - CENTRE) / SCALE) ** 2 / 2 / SPREAD**2 for m in CROWD)
    for a, b, outcome in cast:
        gap = theta[a] - theta[b]
        share = {Outcome.A_BETTER: 1.0, Outcome.B_BETTER: 0.0}.get(outcome, 0.5)
        found += np.logaddexp(0, -gap) * share + np.logaddexp(0, gap) * (1 - share)
    return float(found)


def test_without_votes_it_is_the_crowds() -> None:
    found = rated([])
    assert {model: row.rating for model, row in found.items()} == pytest.approx(CROWD)
    half = 1.959964 * SCALE * SPREAD
    assert all(row.high - row.rating == pytest.approx(half, rel=1e-6) for row in found.values())


@given(votes)
def test_it_is_the_mode_of_the_posterior(cast: Votes) -> None:
    found = rated(cast)
    ours = np.array([(found[model].rating - CENTRE) / SCALE for model in CROWD])
    best = minimize(loss, np.zeros(3), args=(cast,), tol=1e-10)
    assert ours == pytest.approx(best.x, abs=1e-4)


@given(votes)
def test_the_sum_of_the_ratings_stays_the_crowds(cast: Votes) -> None:
    found = rated(cast)
    assert sum(row.rating for row in found.values()) == pytest.approx(sum(CROWD.values()))


@given(votes)
def test_a_further_win_never_lowers_and_intervals_only_shrink(cast: Votes) -> None:
    before, after = rated(cast), rated([*cast, ("c", "a", Outcome.A_BETTER)])
    assert after["c"].rating >= before["c"].rating - 1e-6
    for model in CROWD:
        width = [each[model].high - each[model].low for each in (before, after)]
        assert width[1] <= width[0] * 1.01  # the curvature is taken where the mode is, which moves


def test_many_votes_overrule_the_crowd_and_a_wide_spread_sooner() -> None:
    against: Votes = [("c", "a", Outcome.A_BETTER)]
    assert rated(against)["a"].rating > rated(against)["c"].rating
    assert rated(against * 40)["a"].rating < rated(against * 40)["c"].rating
    assert rated(against * 5, spread=3.0)["c"].rating > rated(against * 5, spread=0.2)["c"].rating


def test_models_that_the_crowd_does_not_rate_are_left_out() -> None:
    found = rated([("a", "berria", Outcome.A_BETTER), ("berria", "c", Outcome.TIE)])
    assert set(found) == set(CROWD)
    assert all(row.votes == 0 for row in found.values())
    assert personal_ranking(Tally.empty(()), {}) == []


def test_thousands_of_votes_one_way_have_a_mode_all_the_same() -> None:
    found = rated([("c", "a", Outcome.A_BETTER)] * 5000)
    assert found["c"].rating - found["a"].rating > 400 * log(20) / log(10)
    assert np.isfinite([row.low for row in found.values()]).all()


def test_rows_are_best_first_and_then_by_name() -> None:
    rows = personal_ranking(Tally.empty(()), {"z": 1000.0, "m": 1000.0, "a": 900.0})
    assert [row.model for row in rows] == ["m", "z", "a"]
