from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.board import SCALE
from ranking.goals import Goal, Precision, Separation, TopK, margin
from ranking.ranks import quantile, separated

MODELS = ("x", "y", "z", "w")
STRENGTHS = np.array([0.5, 0.3, -0.1, -0.7])
ERRORS = np.array([0.05, 0.04, 0.06, 0.05])
COVARIANCE = np.diag(ERRORS**2)


def near(goal: Goal, strengths: np.ndarray = STRENGTHS, covariance: np.ndarray = COVARIANCE) -> float:
    return float(margin(goal, MODELS, strengths=strengths, covariance=covariance, level=0.95))


def test_precision_is_about_the_widest() -> None:
    widest = 1.959964 * SCALE * 0.06
    assert near(Precision(widest)) == pytest.approx(1)
    assert near(Precision(widest / 2)) == pytest.approx(1 / 4)


def test_separation_is_the_difference_test() -> None:
    needed = 1.959964 * np.sqrt(0.05**2 + 0.04**2)
    assert near(Separation("x", "y")) == pytest.approx((0.2 / needed) ** 2)
    assert near(Separation("y", "x")) == near(Separation("x", "y"))


def test_a_shared_error_does_not_hide_a_difference() -> None:
    assert near(Separation("x", "y"), covariance=COVARIANCE + 3) == pytest.approx(near(Separation("x", "y")))


def test_a_top_is_as_certain_as_its_weakest_border() -> None:
    assert near(TopK(1)) == near(Separation("x", "y"))
    assert near(TopK(2)) == min(near(Separation(a, b)) for a in "xy" for b in "zw")
    assert near(TopK(3)) == near(Separation("z", "w"))


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_a_top_is_reached_where_all_its_pairs_are_separated(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    strengths, spread = rng.normal(0, 0.3, 4), rng.normal(0, 0.1, (4, 4))
    covariance = spread @ spread.T
    order = np.argsort(-strengths)
    better = separated(strengths, covariance, level=0.95)
    assert (near(TopK(k), strengths, covariance) > 1) == better[np.ix_(order[:k], order[k:])].all()


@pytest.mark.parametrize("goal", [Precision(20), Separation("x", "w"), TopK(1), TopK(3)])
def test_a_margin_grows_with_the_votes(goal: Goal) -> None:
    assert near(goal, covariance=COVARIANCE / 7) == pytest.approx(7 * near(goal))


@pytest.mark.parametrize("goal", [Precision(20), Separation("x", "w"), TopK(2)])
def test_many_boards_have_the_margins_of_each(goal: Goal) -> None:
    strengths = np.stack([STRENGTHS, STRENGTHS[::-1], 2 * STRENGTHS])
    covariance = np.stack([COVARIANCE, 3 * COVARIANCE, COVARIANCE])
    together = margin(goal, MODELS, strengths=strengths, covariance=covariance, level=0.95)
    assert list(together) == pytest.approx(
        [near(goal, *each) for each in zip(strengths, covariance, strict=True)]
    )


def test_a_higher_level_asks_for_more() -> None:
    at = [
        float(margin(TopK(1), MODELS, strengths=STRENGTHS, covariance=COVARIANCE, level=level))
        for level in (0.5, 0.99)
    ]
    assert at[0] / at[1] == pytest.approx((quantile(0.99) / quantile(0.5)) ** 2)


def test_without_variance_a_margin_is_finite() -> None:
    for goal in (Precision(20), Separation("x", "w"), TopK(2)):
        assert np.isfinite(near(goal, covariance=np.zeros((4, 4))))


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan"), float("inf")])
def test_a_width_is_positive(width: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Precision(width)


def test_goals_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="itself"):
        Separation("x", "x")
    with pytest.raises(ValueError, match="one place"):
        TopK(0)
