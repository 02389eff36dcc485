from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.cleaning.groups import Column, Records, decode_keys, encode, ranges
from training.data.cleaning.thin import mark_equal, mark_repeated

# few different keys, from both ends of their range
keys = st.sampled_from([0, 1, 7, 2**32, 2**63, 2**63 + 1, 2**64 - 1])
batches = st.lists(st.lists(st.tuples(keys, st.integers(0, 9), st.integers(1, 5)), max_size=8), max_size=5)


def written(folder: Path, found: list[list[tuple[int, int, int]]]) -> list[Path]:
    paths = []
    for at, records in enumerate(found):
        paths.append(folder / f"{at}.records")
        columns = list(zip(*records, strict=True)) or [(), (), ()]
        paths[-1].write_bytes(
            encode(
                np.array(columns[0], dtype=np.uint64),
                np.array(columns[1], dtype=np.uint32),
                np.array(columns[2], dtype=np.uint32),
            )
        )
    return paths


def rows_of(records: Records) -> list[tuple[int, int, int, int]]:
    columns = (records.keys, records.batches, records.documents, records.counts)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@settings(max_examples=60)
@given(batches, st.integers(1, 9))
def test_ranges_hold_every_record_once_in_order(found: list[list[tuple[int, int, int]]], most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = written(Path(folder), found)
        parts = list(ranges(paths, most))
    whole = [row for part in parts for row in rows_of(part)]
    expected = sorted(
        (key, at, document, n) for at, records in enumerate(found) for key, document, n in records
    )
    assert sorted(whole) == expected
    assert [row[:3] for row in whole] == [row[:3] for row in expected]
    seen: set[int] = set()
    for part in parts:
        mine = set(part.keys.tolist())
        assert not mine & seen  # a key is never in two ranges
        seen |= mine


@settings(max_examples=30)
@given(batches)
def test_places_count_through_all_files(found: list[list[tuple[int, int, int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = written(Path(folder), found)
        there = np.concatenate([np.zeros(0, dtype=np.uint64), *(decode_keys(path) for path in paths)])
        for part in ranges(paths, 2):
            assert np.array_equal(there[part.places], part.keys)


def test_memory_goes_by_the_bound(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for at in range(4):
        found = rng.integers(0, 2**64, 10_000, dtype=np.uint64)
        ones = np.ones(10_000, dtype=np.uint32)
        (tmp_path / f"{at}").write_bytes(encode(found, ones, ones))
    sizes = [len(part.keys) for part in ranges(sorted(tmp_path.iterdir()), 1_000)]
    assert len(sizes) == 40
    assert sum(sizes) == 40_000
    assert max(sizes) < 1_200


@pytest.mark.parametrize("order", [1, -1])
def test_the_first_of_equal_documents_leads(tmp_path: Path, order: int) -> None:
    paths = written(tmp_path, [[(5, 0, 1), (9, 1, 1)], [(9, 0, 1)], [(5, 1, 1), (9, 0, 1), (4, 2, 1)]])
    bases = np.array([0, 2, 3, 6])
    with Column(tmp_path / "column") as column:
        column.resize(6)
        for part in list(ranges(paths, 1))[::order]:
            mark_equal(part, bases, column)
        assert column.read(0, 6).tolist() == [0, 0, 2, 2, 1, 0]


def test_lines_are_counted_over_batches_and_kept_by_the_first(tmp_path: Path) -> None:
    # documents that have a line in a batch are counted there, the first of them is named
    paths = written(tmp_path, [[(5, 3, 2), (9, 1, 9)], [(5, 0, 8)], [(5, 4, 1), (7, 0, 10)]])
    with Column(tmp_path / "column") as column:
        column.resize(5)
        for part in ranges(paths, 2):
            mark_repeated(part, 10, column)
        # 5: kept by document 3 of the first batch, by nobody in the others; 7: ten in one batch; 9: nine are not enough
        assert column.read(0, 5).tolist() == [3 + 2, 0, 1, 1, 0 + 2]


def test_the_least_number_stays(tmp_path: Path) -> None:
    with Column(tmp_path / "column") as column:
        column.resize(4)
        column.keep_least(np.array([1, 3, 1, 1]), np.array([9, 2, 5, 7]))
        column.keep_least(np.array([3]), np.array([4]))
        assert column.read(0, 4).tolist() == [0, 5, 0, 2]
        assert column.read(1, 1).tolist() == [5]


def test_a_column_outlives_its_process(tmp_path: Path) -> None:
    with Column(tmp_path / "column") as column:
        column.resize(2)
        column.keep_least(np.array([1]), np.array([2**40]))
    with Column(tmp_path / "column") as column:
        column.resize(2)
        assert column.read(0, 2).tolist() == [0, 2**40]
