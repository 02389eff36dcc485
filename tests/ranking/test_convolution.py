from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from ranking import convolution
from ranking.convolution import Tails, tails

term = st.tuples(st.integers(0, 3), st.floats(0, 1), st.booleans(), st.integers(0, 4))


def by_columns(terms: list[tuple[int, float, bool, int]], n_groups: int = 4) -> Tails:
    group, p, happened, size = (list(column) for column in zip(*terms, strict=True)) if terms else ([],) * 4
    return tails(
        np.array(group, dtype=np.int64),
        np.array(p, dtype=np.float64),
        np.array(happened, dtype=np.bool_),
        np.array(size, dtype=np.int64),
        n_groups,
    )


def enumerated(terms: list[tuple[int, float, bool, int]]) -> tuple[float, float]:
    """Both tails of one group, over every way in which its terms can come out."""
    observed = sum(size for _, _, happened, size in terms if happened)
    lower = upper = 0.0
    for way in product([False, True], repeat=len(terms)):
        chance = float(np.prod([p if came else 1 - p for came, (_, p, _, _) in zip(way, terms, strict=True)]))
        total = sum(size for came, (_, _, _, size) in zip(way, terms, strict=True) if came)
        lower += chance * (total <= observed)
        upper += chance * (total >= observed)
    return lower, upper


@settings(max_examples=80, deadline=None)
@given(st.lists(term, max_size=14))
def test_tails_are_those_of_all_ways_written_out(terms: list[tuple[int, float, bool, int]]) -> None:
    found = by_columns(terms)
    for group in range(4):
        lower, upper = enumerated([each for each in terms if each[0] == group])
        assert found.lower[group] == pytest.approx(lower, abs=1e-12)
        assert found.upper[group] == pytest.approx(upper, abs=1e-12)


@pytest.mark.parametrize("n", [1, 7, 40, 200])
def test_equal_terms_are_binomial_far_into_the_tail(n: int) -> None:
    found = by_columns([(0, 0.3, True, 1)] * n, 1)
    assert found.upper[0] == pytest.approx(0.3**n, rel=1e-10)
    assert found.lower[0] == pytest.approx(1)
    few = by_columns([(0, 0.3, k < n // 5, 1) for k in range(n)], 1)
    assert few.lower[0] == pytest.approx(binom.cdf(n // 5, n, 0.3), rel=1e-10)


def test_many_terms_have_nearly_the_exact_tails(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    terms = [(0, float(p), bool(p > 0.42), 1) for p in rng.uniform(0.2, 0.7, 600)]
    approximate = by_columns(terms, 1)
    monkeypatch.setattr(convolution, "EXACT_TERMS", 1000)
    exact = by_columns(terms, 1)
    assert exact.upper[0] != approximate.upper[0]
    assert approximate.upper[0] == pytest.approx(exact.upper[0], rel=0.02)
    assert approximate.lower[0] == pytest.approx(exact.lower[0], rel=0.02)


def test_groups_of_different_length_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "_MOST_CELLS", 200)
    rng = np.random.default_rng(8)
    lengths = rng.integers(0, 40, 60)
    terms = [
        (group, float(rng.uniform()), bool(rng.integers(2)), int(rng.integers(1, 5)))
        for group, length in enumerate(lengths)
        for _ in range(length)
    ]
    together = by_columns([terms[k] for k in rng.permutation(len(terms))], 60)
    for group in range(60):
        alone = by_columns([(0, *rest) for g, *rest in terms if g == group], 1)  # type: ignore[misc]  # the rest is a term's
        assert together.lower[group] == pytest.approx(alone.lower[0])
        assert together.upper[group] == pytest.approx(alone.upper[0])


def test_what_cannot_vary_does_not_stand_out() -> None:
    found = by_columns([(1, 1.0, True, 3)], 2)
    assert found.standardised().tolist() == [0, 0]
    assert found.two_sided().tolist() == [1, 1]


def test_deviations_are_standardised_with_their_sign() -> None:
    found = by_columns([(0, 0.5, True, 2)] * 4 + [(1, 0.5, False, 1)] * 4, 2)
    assert found.standardised() == pytest.approx([2, -2])
    assert found.two_sided() == pytest.approx([2 / 16, 2 / 16])
