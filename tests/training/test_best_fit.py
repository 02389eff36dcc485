"""Best-fit decreasing, against itself written the slow way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.best_fit import best_fit

capacities = st.integers(1, 40)


@st.composite
def items(draw: st.DrawFn) -> tuple[list[int], int]:
    capacity = draw(capacities)
    return draw(st.lists(st.integers(1, capacity), max_size=60)), capacity


def one_by_one(lengths: list[int], capacity: int) -> list[int]:
    """What each row holds, sorted: the longest first, each into the fullest row with room for it."""
    rows: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [place for place, used in enumerate(rows) if used + length <= capacity]
        if fitting:
            rows[max(fitting, key=rows.__getitem__)] += length
        else:
            rows.append(length)
    return sorted(rows)


@given(items())
def test_rows_are_those_of_best_fit_one_by_one(given_: tuple[list[int], int]) -> None:
    lengths, capacity = given_
    rows = best_fit(np.array(lengths, dtype=np.int32), capacity)
    used = np.bincount(rows, weights=lengths) if lengths else np.empty(0)
    assert sorted(used.astype(int).tolist()) == one_by_one(lengths, capacity)
    assert sorted(set(rows.tolist())) == list(range(len(used)))


@pytest.mark.parametrize("wrong", [0, 11, -3])
def test_a_length_that_no_row_holds_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 10"):
        best_fit(np.array([5, wrong]), 10)


def test_of_equal_lengths_the_first_goes_first() -> None:
    assert best_fit(np.array([4, 4, 4, 2]), 8).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("median", "row_tokens"), [(400, 8192), (400, 4096), (500, 2048), (60, 256)], ids=str
)
def test_rows_of_lengths_as_texts_have_them_are_97_per_cent_full(median: int, row_tokens: int) -> None:
    """Lengths of web documents and chats are about log-normal, with a spread of one."""
    drawn = np.random.default_rng(0).lognormal(np.log(median), 1.0, 50_000)
    lengths = np.clip(drawn, 1, row_tokens).astype(np.int32)
    rows = best_fit(lengths, row_tokens)
    assert lengths.sum() / ((rows.max() + 1) * row_tokens) > 0.99
