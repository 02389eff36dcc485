from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f as fisher

from ranking.heterogeneity import SliceFit, heterogeneity, shrink, variance_between


def centred(parts: np.ndarray) -> np.ndarray:
    return np.asarray(parts - parts.mean(axis=-1, keepdims=True))


def make_fit(
    rng: np.random.Generator, m: int, g: int, *, error: float = 1.0, shift: float = 0.0, first: int = 0
) -> SliceFit:
    """A slice whose strengths are off by what its *g* voters, numbered from *first*, moved, and by its own *shift*.

    As at a fit's maximum, influences sum to zero: what the voters moved together cannot be seen in them.
    """
    moved = centred(rng.normal(0, error / np.sqrt(g), (g, m)))
    strengths = centred(rng.normal(0, shift, m)) + moved.sum(axis=0)
    influences = np.sqrt(g / (g - 1)) * (moved - moved.mean(axis=0))
    return SliceFit(f"slice{first}", strengths, first + np.arange(g), influences)


def test_two_slices_of_two_models_are_a_t_test_of_their_difference() -> None:
    influences = np.array([[0.1, -0.1], [-0.2, 0.2], [0.1, -0.1]])
    one = SliceFit("one", np.array([0.5, -0.5]), np.array([0, 1, 2]), influences)
    two = SliceFit("two", np.array([0.1, -0.1]), np.array([3, 4, 5]), influences)
    found = heterogeneity([one, two])
    assert found is not None
    assert found.slices == ("one", "two")
    assert found.wald == pytest.approx(0.4**2 / (2 * 0.06))
    assert (found.df, found.df_voters) == (1, 4)
    assert found.p == pytest.approx(fisher.sf(found.wald, 1, 4))


def test_many_models_are_hotellings_test_of_their_differences() -> None:
    rng = np.random.default_rng(5)
    one, two = make_fit(rng, 6, 20, shift=0.5), make_fit(rng, 6, 15, first=20)
    found = heterogeneity([one, two])
    assert found is not None
    difference = one.strengths - two.strengths
    spread = one.influences.T @ one.influences + two.influences.T @ two.influences
    squared = difference @ np.linalg.pinv(spread, rcond=1e-10) @ difference
    assert found.wald == pytest.approx(squared)
    assert (found.df, found.df_voters) == (5, 29)
    assert found.p == pytest.approx(fisher.sf(squared * 29 / (33 * 5), 5, 29))


def test_shared_voters_move_both_slices() -> None:
    rng = np.random.default_rng(2)
    one = make_fit(rng, 3, 8)
    same = SliceFit("same", one.strengths, one.voters, one.influences)
    assert one.covariance(same) == pytest.approx(one.covariance(one))
    shifted = SliceFit("half", one.strengths, one.voters + 4, one.influences)
    assert one.covariance(shifted) == pytest.approx(one.influences[4:].T @ one.influences[:4])
    apart = SliceFit("apart", one.strengths, one.voters + 8, one.influences)
    assert not one.covariance(apart).any()


def test_equal_slices_are_rejected_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(7)
    rejected = []
    for _ in range(600):
        fits = [make_fit(rng, 5, 30, first=30 * k) for k in range(3)]
        found = heterogeneity(fits)
        assert found is not None
        rejected.append(found.p < 0.05)
    assert 0.03 <= np.mean(rejected) <= 0.08


def test_slices_that_differ_are_found() -> None:
    rng = np.random.default_rng(8)
    found = heterogeneity([make_fit(rng, 5, 60, shift=3.0, first=60 * k) for k in range(3)])
    assert found is not None
    assert found.p < 1e-6
    assert (found.df, found.df_voters) == (8, 180 - 3 - 7)


def test_the_order_of_slices_and_of_models_does_not_matter() -> None:
    rng = np.random.default_rng(9)
    fits = [make_fit(rng, 4, 25, first=15 * k, shift=0.3) for k in range(3)]
    turn = [2, 0, 3, 1]
    turned = [SliceFit(f.name, f.strengths[turn], f.voters, f.influences[:, turn]) for f in fits[::-1]]
    there, back = heterogeneity(fits), heterogeneity(turned)
    assert there is not None
    assert back is not None
    assert back.wald == pytest.approx(there.wald)
    assert back.p == pytest.approx(there.p)
    assert variance_between(turned) == pytest.approx(variance_between(fits))


def test_too_few_voters_for_so_many_models_give_no_test() -> None:
    rng = np.random.default_rng(3)
    assert heterogeneity([make_fit(rng, 9, 4, first=4 * k) for k in range(2)]) is None
    enough = make_fit(rng, 3, 40)
    blind = SliceFit("blind", np.zeros(3), 100 + np.arange(40), np.zeros((40, 3)))
    assert (
        heterogeneity([blind, SliceFit("also", np.zeros(3), 200 + np.arange(40), np.zeros((40, 3)))]) is None
    )
    assert heterogeneity([enough, blind]) is not None


def test_the_variance_between_slices_comes_back_on_average() -> None:
    rng = np.random.default_rng(10)
    found = [
        variance_between([make_fit(rng, 8, 40, error=0.2, shift=0.5, first=40 * k) for k in range(4)])
        for _ in range(400)
    ]
    assert np.mean(found) == pytest.approx(0.25, rel=0.06)


def test_slices_that_differ_by_chance_have_a_variance_near_zero() -> None:
    rng = np.random.default_rng(11)
    found = [variance_between([make_fit(rng, 8, 40, first=40 * k) for k in range(3)]) for _ in range(300)]
    assert np.mean(np.array(found) == 0) > 0.4
    assert np.mean(found) < 0.2


def test_voters_shared_by_slices_are_taken_into_account() -> None:
    rng = np.random.default_rng(12)
    found, plain = [], []
    for _ in range(300):
        one = make_fit(rng, 8, 40)
        noise = centred(rng.normal(0, 0.3 / np.sqrt(40), (40, 8)))
        two = SliceFit(
            "two",
            one.strengths + noise.sum(axis=0) + centred(rng.normal(0, 0.5, 8)),
            one.voters,
            one.influences + noise,
        )
        found.append(variance_between([one, two]))
        plain.append(variance_between([one, SliceFit("two", two.strengths, two.voters + 40, two.influences)]))
    assert np.mean(found) == pytest.approx(0.125, rel=0.15)  # half of the difference's variance
    assert np.mean(plain) < 0.02


@settings(max_examples=40)
@given(st.integers(2, 8), st.integers(0, 2**32 - 1), st.floats(1e-6, 1e3))
def test_shrunk_strengths_lie_between_and_are_no_less_sure(m: int, seed: int, variance: float) -> None:
    rng = np.random.default_rng(seed)
    fit, pooled = make_fit(rng, m, 50, shift=1.0), centred(rng.normal(size=m))
    own, none = fit.covariance(fit), np.zeros((m, m))
    drawn, covariance = shrink(fit, pooled, none, variance)
    way = (drawn - pooled) @ (fit.strengths - pooled)
    assert -1e-9 <= way <= (fit.strengths - pooled) @ (fit.strengths - pooled) + 1e-9
    assert np.linalg.norm(drawn - pooled) <= np.linalg.norm(fit.strengths - pooled) + 1e-9
    assert np.linalg.eigvalsh(own - covariance).min() > -1e-9
    assert covariance == pytest.approx(covariance.T)


def test_no_variance_leaves_the_pooled_ones_and_an_endless_one_the_slices_own() -> None:
    rng = np.random.default_rng(4)
    fit, pooled, known = make_fit(rng, 4, 50), centred(rng.normal(size=4)), np.eye(4) * 0.01
    drawn, covariance = shrink(fit, pooled, known, 0.0)
    assert drawn == pytest.approx(pooled)
    assert covariance == pytest.approx(known)
    drawn, covariance = shrink(fit, pooled, known, 1e9)
    assert drawn == pytest.approx(fit.strengths, abs=1e-6)
    assert covariance == pytest.approx(fit.covariance(fit), abs=1e-6)
