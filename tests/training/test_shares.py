"""What a pass takes of each factor."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.shares import quotas, window


def test_the_scarcest_factor_is_taken_whole_and_none_twice() -> None:
    tokens = {"corpus": 100, "eu": 1000, "en": 10}
    assert quotas(tokens, {"corpus": 0.1, "eu": 0.9, "en": 0}) == {"corpus": 100, "eu": 900}
    assert quotas(tokens, {"corpus": 0.5, "eu": 0.5}) == {"corpus": 100, "eu": 100}
    assert quotas(tokens, {"corpus": 1.0}) == {"corpus": 100}


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 100)), min_size=1, max_size=3))
def test_quotas_keep_the_shares(factors: list[tuple[int, int]]) -> None:
    tokens = {str(number): each for number, (each, _) in enumerate(factors)}
    whole = sum(part for _, part in factors)
    shares = {str(number): part / whole for number, (_, part) in enumerate(factors)}
    found = quotas(tokens, shares)
    assert any(found[name] == tokens[name] for name in tokens)
    assert all(found[name] <= tokens[name] for name in tokens)
    total = sum(found.values())
    assert all(abs(found[name] - total * shares[name]) <= 3 for name in tokens)


lengths_of = st.lists(st.integers(1, 30), min_size=1, max_size=30).map(lambda each: np.array(each, np.int32))


@given(lengths_of, st.floats(0.05, 1), st.integers(1, 6))
def test_everything_is_seen_once_before_anything_is_seen_twice(
    lengths: np.ndarray[tuple[int], np.dtype[np.int32]], part: float, passes: int
) -> None:
    quota = max(1, round(int(lengths.sum()) * part))
    seen: Counter[int] = Counter()
    for epoch in range(passes):
        seen.update(window(lengths, quota, seed=(3,), epoch=epoch).tolist())
        counts = [seen[number] for number in range(len(lengths))]
        assert max(counts) - min(counts) <= 1


@given(lengths_of, st.floats(0.05, 1), st.integers(0, 5))
def test_a_pass_takes_its_quota_to_within_a_segment(
    lengths: np.ndarray[tuple[int], np.dtype[np.int32]], part: float, epoch: int
) -> None:
    quota = max(1, round(int(lengths.sum()) * part))
    taken = int(lengths[window(lengths, quota, seed=(3,), epoch=epoch)].sum())
    assert abs(taken - quota) < int(lengths.max())


def test_a_whole_factor_is_taken_once_a_pass_in_another_order_each_time() -> None:
    lengths = np.arange(1, 60, dtype=np.int32)
    first, second = (window(lengths, int(lengths.sum()), seed=(3,), epoch=epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(59))
    assert first.tolist() != second.tolist()
    assert window(lengths, int(lengths.sum()), seed=(4,), epoch=0).tolist() != first.tolist()
    assert window(lengths, int(lengths.sum()), seed=(3,), epoch=0).tolist() == first.tolist()


@pytest.mark.parametrize("epoch", [0, 1])
def test_of_nothing_nothing_is_taken(epoch: int) -> None:
    assert window(np.empty(0, np.int32), 0, seed=(3,), epoch=epoch).tolist() == []
