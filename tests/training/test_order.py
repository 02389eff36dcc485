"""The rows of a run in order, pass after pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import BadData
from training.order import Passes, rows_of


class Numbers:
    """Rows that say which pass and place they are of; passes are of different lengths."""

    source_names = ("numbers",)

    def __init__(self, sizes: list[int]) -> None:
        self.sizes, self.epoch, self.packed = sizes, 0, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.packed += 1

    def __len__(self) -> int:
        return self.sizes[self.epoch % len(self.sizes)]

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        assert 0 <= index < len(self)
        return {"input_ids": [self.epoch, index]}


def wanted(sizes: list[int], total: int) -> list[list[int]]:
    found: list[list[int]] = []
    epoch = 0
    while len(found) < total:
        found += [[epoch, place] for place in range(sizes[epoch % len(sizes)])]
        epoch += 1
    return found[:total]


sizes_of = st.lists(st.integers(1, 7), min_size=1, max_size=4)


@given(sizes_of, st.integers(1, 40))
def test_every_row_of_every_pass_comes_once_and_in_order(sizes: list[int], total: int) -> None:
    passes = Passes(Numbers(sizes), total)
    assert len(passes) == total
    assert [passes[place]["input_ids"] for place in range(total)] == wanted(sizes, total)


@given(sizes_of, st.integers(1, 40), st.data())
def test_any_place_can_be_read_in_any_order(sizes: list[int], total: int, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, total - 1), max_size=10))
    passes, rows = Passes(Numbers(sizes), total), wanted(sizes, total)
    assert [passes[place]["input_ids"] for place in places] == [rows[place] for place in places]


def test_a_pass_is_packed_once_when_read_in_order() -> None:
    rows = Numbers([5])
    passes = Passes(rows, 20)
    for place in range(20):
        passes[place]
    assert rows.packed == 4


def test_places_outside_the_run_do_not_exist() -> None:
    passes = Passes(Numbers([3]), 4)
    for place in (-1, 4):
        with pytest.raises(IndexError):
            passes[place]


def test_a_pass_without_rows_is_refused() -> None:
    with pytest.raises(BadData, match="no rows"):
        Passes(Numbers([0]), 4)[0]
    with pytest.raises(BadData, match="no rows"):
        Passes(Numbers([2, 0]), 4)[3]


def test_passes_are_counted_each_for_itself() -> None:
    rows = Numbers([3, 5])
    assert rows_of(rows, 3) == [3, 5, 3]
    assert rows.epoch == 0
