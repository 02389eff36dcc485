"""Tokens read piece by piece."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.encoding import Encoded, Position
from training.data.rows import BadRows, Place
from training.data.shards import DESCRIPTION, Writer, bad_of, description, open_store, write_json
from training.data.store import Kind, Store, id_type, shard_of
from training.data.tokenise import Segment


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    ids = draw(st.lists(st.integers(0, 300), min_size=1, max_size=12))
    edges = sorted(draw(st.sets(st.integers(0, len(ids)), max_size=6)))
    return Segment(ids, list(zip(edges[::2], edges[1::2], strict=False)))


many = st.lists(segments(), min_size=1, max_size=8)


def store(shards: list[list[Segment]], kind: Kind = "chats") -> Store:
    return Store(kind, [shard_of(each, kind, 512) for each in shards])


@given(st.lists(many, min_size=1, max_size=3), st.data())
def test_any_piece_of_any_segment_is_as_it_was_made(shards: list[list[Segment]], data: st.DataObject) -> None:
    made, flat = store(shards), [each for shard in shards for each in shard]
    assert len(made) == len(flat)
    assert made.lengths.tolist() == [len(each) for each in flat]
    number = data.draw(st.integers(0, len(flat) - 1))
    segment = flat[number]
    start = data.draw(st.integers(0, len(segment) - 1))
    length = data.draw(st.integers(1, len(segment) - start))
    ids, learnt = made.piece(number, start, length)
    assert ids.tolist() == segment.ids[start : start + length]
    wanted = [any(a <= place < b for a, b in segment.learnt) for place in range(start, start + length)]
    assert learnt.tolist() == wanted


@given(many)
def test_all_of_a_document_is_learnt(documents: list[Segment]) -> None:
    made = store([documents], "documents")
    assert made.piece(0, 0, len(documents[0]))[1].all()
    assert made.learnt == made.tokens == sum(map(len, documents))


@given(many)
def test_learnt_tokens_are_counted(chats: list[Segment]) -> None:
    assert store([chats]).learnt == sum(end - start for each in chats for start, end in each.learnt)


def test_ids_take_two_bytes_as_long_as_they_can() -> None:
    assert id_type(1 << 16) == np.uint16
    assert id_type((1 << 16) + 1) == np.uint32
    big = Store("documents", [shard_of([Segment([128_255], [(0, 1)])], "documents", 128_256)])
    assert big.piece(0, 0, 1)[0].tolist() == [128_255]


def encoded(*made: Segment, rows: int, reason: str | None = None) -> Encoded:
    bad = BadRows()
    if reason:
        bad.add(Place("f", rows), reason)
    return Encoded(shard_of(made, "chats", 512), bad, Position(0, rows))


ONE, TWO = Segment([1, 2, 3], [(1, 3)]), Segment([4, 5], [(0, 1)])


def test_shards_end_where_they_are_full_and_a_folder_reads_as_one_store(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "chats", 512, shard_tokens=5)
    writer.add(encoded(ONE, rows=1))
    writer.add(encoded(TWO, rows=2))
    writer.add(encoded(ONE, rows=4, reason="no text"))
    writer.finish()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"0000{number}.{part}" for number in (0, 1) for part in ("ends", "ids", "json", "spans")
    ]
    write_json(tmp_path / DESCRIPTION, {"kind": "chats", "vocabulary": 512, "shards": writer.shards})
    found = open_store(tmp_path)
    assert [found.piece(number, 0, size)[0].tolist() for number, size in enumerate((3, 2, 3))] == [
        ONE.ids,
        TWO.ids,
        ONE.ids,
    ]
    assert found.piece(1, 0, 2)[1].tolist() == [True, False]
    assert writer.counts == {"segments": 3, "tokens": 8, "learnt": 5}


def test_a_writer_goes_on_after_the_last_whole_shard(tmp_path: Path) -> None:
    killed = Writer(tmp_path, "chats", 512, shard_tokens=5)
    killed.add(encoded(ONE, TWO, rows=3, reason="no text"))
    killed.add(encoded(TWO, rows=4))
    killed.abandon()
    writer = Writer(tmp_path, "chats", 512, shard_tokens=5)
    assert (writer.shards, writer.position) == (1, Position(0, 3))
    assert writer.counts == {"segments": 2, "tokens": 5, "learnt": 3}
    assert writer.bad.report() == {"rows": 1, "reasons": {"no text": {"rows": 1, "first": ["f:3"]}}}


def test_a_chunk_without_a_row_that_can_be_used_makes_no_shard(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "chats", 512, shard_tokens=5)
    writer.add(encoded(rows=7, reason="no text"))
    writer.finish()
    assert not list(tmp_path.iterdir())
    assert writer.position == Position(0, 7)
    assert writer.bad.counts == {"no text": 1}


def test_another_process_opens_files_instead_of_being_sent_them(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "chats", 512, shard_tokens=5)
    writer.add(encoded(Segment([7] * 10_000, [(0, 10_000)]), rows=1))
    writer.finish()
    write_json(tmp_path / DESCRIPTION, {"kind": "chats", "vocabulary": 512, "shards": 1})
    sent = pickle.dumps(open_store(tmp_path))
    assert len(sent) < 500
    assert pickle.loads(sent).tokens == 10_000


def test_a_folder_that_is_not_finished_says_nothing(tmp_path: Path) -> None:
    assert description(tmp_path) == {}


@pytest.mark.parametrize("reasons", [{}, {"no text": 3, "not JSON": 1}])
def test_bad_rows_are_read_back_as_they_were_told(reasons: dict[str, int]) -> None:
    bad = BadRows()
    for reason, rows in reasons.items():
        for row in range(rows):
            bad.add(Place("f", row), reason)
    assert bad_of(bad.report()).report() == bad.report()
