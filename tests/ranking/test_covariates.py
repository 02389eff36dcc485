from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.covariates import SIDE, Covariates, style_covariates


def test_a_difference_is_a_share_of_what_both_have_over_its_root_mean_square() -> None:
    found = style_covariates({"length": (np.array([3.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0]))})
    assert found.names == (SIDE, "length")
    assert found.values[:, 0].tolist() == [1, 1, 1]
    assert found.values[:, 1] == pytest.approx([np.sqrt(3), 0, 0])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), min_size=1, max_size=20))
def test_swapped_sides_turn_the_sign_of_each_difference(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs).T
    there = style_covariates({"length": (a, b)}, side=False).values
    assert style_covariates({"length": (b, a)}, side=False).values == pytest.approx(-there)
    assert np.isfinite(there).all()
    assert np.square(there).mean() == pytest.approx(1) or not there.any()


def test_a_unit_of_measure_does_not_matter() -> None:
    a, b = np.array([120.0, 800.0, 50.0]), np.array([100.0, 900.0, 0.0])
    in_ms = style_covariates({"latency": (a, b)}).values
    assert style_covariates({"latency": (a / 1000, b / 1000)}).values == pytest.approx(in_ms)


def test_no_votes_have_no_rows() -> None:
    assert style_covariates({"length": (np.zeros(0), np.zeros(0))}).values.shape == (0, 2)
    assert Covariates.none(3).values.shape == (3, 0)


def test_chosen_rows_stay_with_their_names() -> None:
    whole = Covariates(("x",), np.array([[1.0], [2.0], [3.0]]))
    assert whole.take(np.array([True, False, True])).values.tolist() == [[1], [3]]
    assert whole.take(np.array([2])).names == ("x",)


@pytest.mark.parametrize(
    ("a", "b"),
    [([1.0], [1.0, 2.0]), ([-1.0], [1.0]), ([np.nan], [1.0]), ([np.inf], [1.0])],
)
def test_what_is_no_measure_is_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match="length is negative"):
        style_covariates({"length": (np.array(a), np.array(b))})


def test_covariates_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="no measure"):
        style_covariates({})
    with pytest.raises(ValueError, match="different lengths"):
        style_covariates({"x": (np.ones(1), np.ones(1)), "y": (np.ones(2), np.ones(2))})
    with pytest.raises(ValueError, match="named twice"):
        Covariates(("x", "x"), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="shape"):
        Covariates(("x",), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="no number"):
        Covariates(("x",), np.array([[np.nan]]))
