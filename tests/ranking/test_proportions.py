"""Shares of clustered things: known values, laws, and what they cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.proportions import clustered_share


def array(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (50, 100, 0.4038, 0.5962),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_of_one_cluster_it_is_wilsons_interval(hits: int, n: int, low: float, high: float) -> None:
    found = clustered_share(array(hits), array(n))
    assert (found.share, found.n, found.design) == (hits / n, n, 1.0)
    assert [found.low, found.high] == pytest.approx([low, high], abs=1e-4)


def test_things_that_are_alike_within_clusters_count_as_few() -> None:
    alike = clustered_share(array(10, 10, 0, 0), array(10, 10, 10, 10))
    mixed = clustered_share(array(5, 5, 5, 5), array(10, 10, 10, 10))
    assert alike.share == mixed.share == 0.5
    assert alike.design == pytest.approx(40 / 3)
    assert mixed.design == 1
    assert alike.high - alike.low > 3 * (mixed.high - mixed.low) / 1.6


def test_empty_clusters_change_nothing() -> None:
    assert clustered_share(array(3, 0, 2), array(4, 0, 4)) == clustered_share(array(3, 2), array(4, 4))


@pytest.mark.parametrize(("hits", "totals"), [((0,), (0,)), ((), ()), ((3,), (2,)), ((-1, 2), (1, 2))])
def test_what_cannot_be_shared_is_refused(hits: tuple[int, ...], totals: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="share"):
        clustered_share(array(*hits), array(*totals))


clusters = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12).filter(
    lambda each: any(hits + misses for hits, misses in each)
)


@given(clusters)
def test_the_interval_holds_the_share_within_0_and_1_and_mirrors(told: list[tuple[int, int]]) -> None:
    hits, misses = (array(*(each[place] for each in told)) for place in (0, 1))
    found, mirror = clustered_share(hits, hits + misses), clustered_share(misses, hits + misses)
    assert 0 <= found.low <= found.share <= found.high <= 1
    assert found.design >= 1
    assert [found.low, found.high] == pytest.approx([1 - mirror.high, 1 - mirror.low])


@given(clusters)
def test_a_higher_level_is_wider(told: list[tuple[int, int]]) -> None:
    hits, totals = array(*(each[0] for each in told)), array(*(sum(each) for each in told))
    narrow, wide = (clustered_share(hits, totals, level=level) for level in (0.8, 0.99))
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high


def test_it_covers_the_truth_where_volunteers_differ() -> None:
    rng = np.random.default_rng(7)
    covered = plain = 0
    for _ in range(400):
        own = rng.beta(7 * 2, 3 * 2, 40)
        totals = rng.integers(1, 25, 40)
        hits = rng.binomial(totals, own)
        found = clustered_share(hits, totals)
        covered += found.low <= 0.7 <= found.high
        alone = clustered_share(hits.sum(keepdims=True), totals.sum(keepdims=True))
        plain += alone.low <= 0.7 <= alone.high
    assert 0.92 <= covered / 400 <= 0.975
    assert plain / 400 < 0.9
