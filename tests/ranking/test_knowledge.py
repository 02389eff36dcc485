from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from ranking.errors import NotConverged
from ranking.fit import fit_bradley_terry
from ranking.knowledge import PRIOR_VARIANCE, difference_variances, knowledge_of
from ranking.tally import Tally
from ranking.uncertainty import sandwich_covariance
from tests.ranking.builders import Vote, make_tally, votes_strategy

FITTING = make_tally("x>y*9", "y>z*8", "z>x*3", "x=z*2")


def test_of_a_board_that_fits_the_fit_is_known() -> None:
    fit = fit_bradley_terry(FITTING)
    known = knowledge_of(FITTING)
    assert known.rated.all()
    assert known.strengths == pytest.approx(fit.strengths)
    assert known.covariance == pytest.approx(sandwich_covariance(FITTING, fit))
    assert known.hessian == pytest.approx(fit.hessian)
    assert not known.prior.any()


def test_a_model_without_a_rating_is_known_by_the_prior_and_moves_nobody() -> None:
    alone = knowledge_of(FITTING)
    for more in (Tally.empty(["new"]), make_tally("new>x*4")):  # nobody beat it: it has no rating either
        known = knowledge_of(FITTING.merged(more))
        assert list(known.rated) == [True, True, True, False]
        assert known.strengths == pytest.approx([*alone.strengths, 0])
        assert known.covariance[:3, :3] == pytest.approx(alone.covariance)
        assert list(known.covariance[3]) == [0, 0, 0, PRIOR_VARIANCE]


def test_the_prior_counts_as_four_even_votes_against_the_mean() -> None:
    known = knowledge_of(FITTING.merged(Tally.empty(["new"])))
    against_the_mean = np.array([-1, -1, -1, 3]) / 3
    four_votes = 4 * 0.25 * np.outer(against_the_mean, against_the_mean)
    assert known.prior[:3, 3] == pytest.approx(four_votes[:3, 3])
    assert known.prior[3, 3] == pytest.approx(four_votes[3, 3])


@pytest.mark.parametrize(
    "tally",
    [
        Tally.empty([]),
        Tally.empty(["x"]),
        Tally.empty(["x", "y", "z"]),
        make_tally("x>y"),
        make_tally("x=y*5"),
        make_tally("x>y", "y>x", "z>w", "w>z"),
        make_tally("x>y*3", "x>z*2"),
    ],
)
def test_of_a_degenerate_board_the_prior_alone_is_known(tally: Tally) -> None:
    m = len(tally.models)
    known = knowledge_of(tally)
    assert not known.rated.any()
    assert known.strengths == pytest.approx(np.zeros(m))
    assert known.covariance == pytest.approx(PRIOR_VARIANCE * np.eye(m))
    assert not known.hessian.any()
    assert known.prior == pytest.approx((np.eye(m) - 1 / max(m, 1)) / PRIOR_VARIANCE)


def test_a_board_too_steep_for_numbers_is_known_by_the_prior_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def steep(tally: Tally) -> None:
        raise NotConverged("too steep")

    monkeypatch.setattr("ranking.knowledge.fit_bradley_terry", steep)
    known = knowledge_of(FITTING)
    assert not known.rated.any()
    assert known.covariance == pytest.approx(PRIOR_VARIANCE * np.eye(3))


@given(votes_strategy)
def test_knowledge_is_finite_and_information_says_nothing_of_the_common_level(votes: list[Vote]) -> None:
    known = knowledge_of(Tally.from_votes(votes))
    assert np.isfinite(known.strengths).all()
    assert np.linalg.eigvalsh(known.covariance).min(initial=0) > -1e-9
    information = known.hessian + known.prior
    assert information.sum(axis=1) == pytest.approx(np.zeros(len(known.rated)), abs=1e-9)
    if len(known.rated) > 1:  # and something of everything else
        assert np.linalg.eigvalsh(information)[1] > 1e-6


def test_differences_vary_as_contrasts_do() -> None:
    covariance = np.array([[[4.0, 1.0, 0.0], [1.0, 9.0, -2.0], [0.0, -2.0, 1.0]], np.eye(3)])
    contrast = np.array([0.0, 1.0, -1.0])
    found = difference_variances(covariance)
    assert found[0, 1, 2] == found[0, 2, 1] == contrast @ covariance[0] @ contrast
    assert found[1] == pytest.approx(2 * (1 - np.eye(3)))


def test_a_difference_that_rounding_makes_negative_has_no_variance() -> None:
    assert not (difference_variances(np.array([[1.0, 1.0 + 1e-12], [1.0 + 1e-12, 1.0]])) < 0).any()
