"""Plans: every token once, the same for the same seed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data import pack
from training.data.pack import Plan, plan

lengths_of = st.lists(st.integers(1, 100), max_size=40)
row_tokens_of = st.integers(1, 64)


def planned(lengths: list[int], row_tokens: int, seed: int = 0) -> Plan:
    names = np.arange(len(lengths)) * 10  # segments have names of the caller's
    return plan(names, np.array(lengths, dtype=np.int32), row_tokens=row_tokens, seed=(seed,))


def rows_of(made: Plan) -> list[list[tuple[int, int, int]]]:
    pieces = list(zip(made.segments.tolist(), made.starts.tolist(), made.lengths.tolist(), strict=True))
    edges = [0, *made.ends.tolist()]
    return [pieces[start:end] for start, end in pairwise(edges)]


@given(lengths_of, row_tokens_of, st.integers(0, 3))
def test_every_token_of_every_segment_lies_in_one_place(
    lengths: list[int], row_tokens: int, seed: int
) -> None:
    made = planned(lengths, row_tokens, seed)
    tokens = [
        (segment, place)
        for segment, start, length in (piece for row in rows_of(made) for piece in row)
        for place in range(start, start + length)
    ]
    assert sorted(tokens) == [
        (10 * number, place) for number, length in enumerate(lengths) for place in range(length)
    ]
    assert made.tokens == sum(lengths)


@given(lengths_of, row_tokens_of)
def test_no_row_is_empty_or_overfull_and_what_fits_is_not_cut(lengths: list[int], row_tokens: int) -> None:
    rows = rows_of(planned(lengths, row_tokens))
    assert all(0 < sum(length for _, _, length in row) <= row_tokens for row in rows)
    for segment, start, length in (piece for row in rows for piece in row):
        whole = lengths[segment // 10]
        assert start % row_tokens == 0
        assert length == min(row_tokens, whole - start)


@given(lengths_of, row_tokens_of)
def test_the_same_seed_gives_the_same_plan(lengths: list[int], row_tokens: int) -> None:
    assert rows_of(planned(lengths, row_tokens)) == rows_of(planned(lengths, row_tokens))


def test_another_seed_gives_another_order_and_other_neighbours() -> None:
    lengths = [1 + number % 50 for number in range(400)]
    one, other = (rows_of(planned(lengths, 64, seed)) for seed in (0, 1))
    assert one != other
    together = [{tuple(sorted(piece[0] for piece in row)) for row in each} for each in (one, other)]
    assert len(together[0] & together[1]) < len(together[0]) / 4


def test_rows_do_not_come_by_length() -> None:
    first = [row[0][2] for row in rows_of(planned([*[60] * 200, *[30] * 200], 64))]
    assert {30, 60} <= set(first[:20])
    assert {30, 60} <= set(first[-20:])


def test_what_is_packed_in_parts_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "AT_ONCE", 7)
    made = planned([1 + number % 9 for number in range(100)], 16)
    assert sorted(made.segments.tolist()) == [10 * number for number in range(100)]
    assert all(sum(length for _, _, length in row) <= 16 for row in rows_of(made))


def test_fill_is_the_share_of_places_with_a_token() -> None:
    assert planned([8, 8, 4], 8).fill(8) == pytest.approx(20 / 24)
    assert planned([], 8).fill(8) == 0


def test_memory_is_of_indices_alone() -> None:
    lengths = np.full(10_000, 5_000, dtype=np.int32)
    made = plan(np.arange(10_000), lengths, row_tokens=8192, seed=(0,))
    held = sum(each.nbytes for each in (made.ends, made.segments, made.starts, made.lengths))
    assert held <= 24 * len(made.segments)
