from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.anomalies import Correction, Sampling, examine_sampling, holm
from ranking.tally import Tally
from tests.ranking.builders import NAMES, Vote, make_tally, votes_strategy
from tests.ranking.volunteers import PUBLISHED


def drawn(shares: np.ndarray, n: int, rng: np.random.Generator) -> Tally:
    """*n* battles on pairs drawn with these shares, all won by the model named first."""
    m = len(shares)
    rows, columns = np.triu_indices(m, 1)
    weight = shares[rows, columns]
    counts = np.zeros((m, m, 4), dtype=np.int64)
    counts[rows, columns, 0] = rng.multinomial(n, weight / weight.sum())
    return Tally(tuple(f"m{k}" for k in range(m)), counts)


@pytest.mark.parametrize("correction", list(Correction))
def test_the_published_table_has_one_pair_that_met_too_often(correction: Correction) -> None:
    report = examine_sampling(PUBLISHED, correction=correction)
    (pair,) = report.flagged
    assert {pair.model_a, pair.model_b} == {"Latxa-Llama-3.1-70B-Instruct", "exp_1_110"}
    assert (pair.n, pair.sampling) == (106, Sampling.OVER)
    assert pair.expected == pytest.approx(12890 / 210)
    assert pair.residual == pytest.approx(5.7, abs=0.05)
    assert report.pairs[0] == pair
    assert len(report.pairs) == 210
    assert report.dispersion == pytest.approx(1.28, abs=0.01)


def test_a_pair_that_met_too_rarely_is_flagged_as_such() -> None:
    counts = np.triu(np.full((6, 6), 80, dtype=np.int64), 1)
    counts[0, 1] = 30
    tally = Tally(tuple("abcdef"), np.stack([counts, *np.zeros((3, 6, 6), dtype=np.int64)], axis=2))
    (pair,) = examine_sampling(tally).flagged
    assert (pair.model_a, pair.model_b, pair.n, pair.sampling) == ("a", "b", 30, Sampling.UNDER)
    assert pair.residual is not None
    assert pair.residual < -5


def test_uneven_sampling_is_no_anomaly_where_it_was_meant() -> None:
    shares = np.triu(np.ones((6, 6)), 1)
    shares[0, 5] = 6
    tally = drawn(shares, 3000, np.random.default_rng(1))
    assert next(pair.n for pair in examine_sampling(tally).flagged) == tally.counts[0, 5].sum()
    assert examine_sampling(tally, shares=shares).flagged == ()
    assert examine_sampling(tally, shares=shares.T * 7).flagged == ()


def test_boards_drawn_as_said_are_flagged_as_rarely_as_said() -> None:
    rng = np.random.default_rng(2)
    shares = rng.uniform(0.5, 2, (8, 8))
    flagged = [
        bool(examine_sampling(drawn(shares + shares.T, 900, rng), shares=shares, level=0.1).flagged)
        for _ in range(200)
    ]
    assert np.mean(flagged) <= 0.15


def test_a_pair_without_a_share_must_not_meet() -> None:
    shares = np.ones((3, 3))
    shares[0, 1] = shares[1, 0] = 0
    report = examine_sampling(make_tally("a>b", "b>c*40", "a>c*40"), shares=shares)
    assert report.pairs[0].residual is None
    assert (report.pairs[0].p, report.pairs[0].sampling) == (0, Sampling.OVER)
    even = examine_sampling(make_tally("b>c*40", "a>c*40"), shares=shares)
    never = next(pair for pair in even.pairs if pair.n == 0)
    assert (never.residual, never.p, even.flagged) == (None, 1, ())


def test_sides_and_outcomes_do_not_matter() -> None:
    assert examine_sampling(PUBLISHED.swapped()) == examine_sampling(PUBLISHED)


def test_no_votes_and_few_models_flag_nothing() -> None:
    for models in ([], ["x"]):
        assert examine_sampling(Tally.empty(models)).pairs == ()
    empty = examine_sampling(Tally.empty(["x", "y", "z"]))
    assert (len(empty.pairs), empty.flagged, empty.dispersion) == (3, (), None)
    one_pair = examine_sampling(make_tally("x>y*50"))
    assert (one_pair.flagged, one_pair.pairs[0].residual) == ((), None)
    assert examine_sampling(make_tally("x>y", models=["x", "y", "z"])).flagged == ()


@pytest.mark.parametrize(
    "shares",
    [np.ones((2, 2)), np.full((3, 3), -1.0), np.full((3, 3), np.nan), np.zeros((3, 3)), np.eye(3)],
)
def test_shares_that_are_none_are_refused(shares: np.ndarray) -> None:
    with pytest.raises(ValueError, match="share"):
        examine_sampling(Tally.empty(["x", "y", "z"]), shares=shares)


@pytest.mark.parametrize("level", [0.0, 1.0, float("nan")])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        examine_sampling(Tally.empty(["x"]), level=level)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_rejects_what_its_steps_reject(values: list[float]) -> None:
    p = np.array(values)
    adjusted = holm(p)
    assert ((adjusted >= p) & (adjusted <= 1)).all()
    for level in (0.01, 0.05, 0.3):
        rejected: set[int] = set()
        for step, place in enumerate(np.argsort(p, kind="stable")):
            if p[place] * (len(p) - step) > level:
                break
            rejected.add(int(place))
        assert set(np.flatnonzero(adjusted <= level).tolist()) == rejected


@settings(max_examples=50, deadline=None)
@given(votes_strategy)
def test_expected_counts_add_up_to_all_battles_and_holm_flags_no_more(votes: list[Vote]) -> None:
    tally = Tally.from_votes(votes, NAMES)
    strict, loose = (examine_sampling(tally, correction=each) for each in Correction)
    assert sum(pair.n for pair in strict.pairs) == len(votes)
    assert sum(pair.expected for pair in strict.pairs) == pytest.approx(len(votes))
    assert len(strict.flagged) <= len(loose.flagged)
