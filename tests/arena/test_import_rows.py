"""Reading files of votes without a database: located, in constant memory, and only what the database gives back as it is."""

from __future__ import annotations

import datetime as dt
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from arena.imports import files
from arena.imports.files import raw_rows
from arena.imports.plain import plain_row
from arena.imports.votes import read_vote
from arena.models import ImportedVote
from arena.types import VoteSource
from ranking.errors import BadInput
from ranking.models import Board
from tests.arena.imported import ebaluatoia_row, lmarena_row, write_lines, write_parquet

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(texts, inside, max_size=3),
    max_leaves=8,
)


class Stored(TestCase):
    @settings(max_examples=60)
    @given(extra=st.dictionaries(texts, plain, max_size=3))
    def test_the_database_gives_back_every_column_that_is_taken(self, extra: dict[str, Any]) -> None:
        row = extra | lmarena_row()
        vote = read_vote(VoteSource.LMARENA, 1, json.dumps(row).encode())
        board = Board.objects.create(slug="b", name="b", kind="imported")
        stored = ImportedVote.objects.create(
            board=board, source="lmarena", external_id=vote.external_id, timestamp=vote.timestamp,
            cast_at=vote.cast_at, model_a="x", model_b="y", conv_a=vote.conv_a, conv_b=vote.conv_b,
            winner=vote.winner.value, extra=vote.extra,
        )  # fmt: skip
        stored.refresh_from_db()
        own = {"id", "timestamp", "model_a", "model_b", "winner", "conversation_a", "conversation_b"}
        assert stored.extra == {column: value for column, value in row.items() if column not in own}
        assert (stored.conv_a, stored.conv_b) == (row["conversation_a"], row["conversation_b"])


@pytest.mark.parametrize(
    ("written", "where"),
    [
        (rb'{"a": "\u0000"}', (7, "a")),
        (rb'{"a": [{"b": "\ud800"}]}', (7, "a")),
        (rb'{"a": {"\u0000": 1}}', (7, "a")),
        (rb'{"\udfff": 1}', (7, "")),
        (b'{"a": 1e999}', (7, "a")),
        (b'{"a": Infinity}', (7, "1")),
        (b'{"a": ' + b"9" * 5000 + b"}", (7, "1")),
        (b'{"a": ' + b"[" * 102 + b"]" * 102 + b"}", (7, "a")),
        (b'{"a": ' + b'{"b": ' * 500 + b"1" + b"}" * 500 + b"}", (7, "a")),
        (b'{"a": ' + b"[" * 9000 + b"]" * 9000 + b"}", (7, "1")),
        (b'{"a": "\xff"}', (7, "byte 8")),
        (b'{"a": }', (7, "7")),
    ],
)
def test_what_cannot_be_stored_is_refused_where_it_stands(written: bytes, where: tuple[int, str]) -> None:
    with pytest.raises(BadInput) as caught:
        plain_row(7, written)
    assert (caught.value.line, caught.value.column) == where


def test_a_hundred_levels_are_taken() -> None:
    written = b"[" * 101 + b"]" * 101
    assert plain_row(7, b'{"a": ' + written + b"}") == {"a": json.loads(written)}


@pytest.mark.parametrize("packing", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, packing: str) -> None:
    def peak(n: int) -> int:
        rows = [ebaluatoia_row(number, more=str(number) * 2000) for number in range(1, n + 1)]
        path = tmp_path / f"{n}{packing}"
        file = write_parquet(path, rows) if packing == ".parquet" else write_lines(path, rows)
        tracemalloc.start()
        try:
            for line, raw in raw_rows(file):
                read_vote(VoteSource.EBALUATOIA, line, raw)
            assert line == n
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)  # what is imported and cached on the way
    assert peak(1600) < peak(200) + 1_000_000


def test_a_line_that_is_too_long_ends_the_reading_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE_BYTES", 11)
    file = tmp_path / "v.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"a":1}\n\n{"a":12345}\n{"b":1}\n')
    (first, row), (line, problem) = raw_rows(file)
    assert (first, row) == (1, b'{"a":1}\n')
    assert isinstance(problem, BadInput)
    assert (line, problem.line) == (3, 3)


def test_what_parquet_alone_can_hold_is_made_text_or_refused() -> None:
    at = dt.datetime(2025, 3, 19, 8, tzinfo=dt.UTC)
    assert plain_row(1, {"at": at, "day": at.date()}) == {
        "at": "2025-03-19T08:00:00+00:00",
        "day": "2025-03-19",
    }
    with pytest.raises(BadInput, match="line 2, column raw: holds a bytes that cannot be stored"):
        plain_row(2, {"raw": b"1"})
