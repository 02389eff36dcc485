from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from training.data.rows import (
    BadRows,
    Fields,
    Place,
    inputs,
    line,
    messages_of,
    open_to_write,
    read_rows,
    text_of,
)
from training.errors import BadData

ROWS: list[Fields] = [{"text": "Kaixo, mundua"}, {"text": "ñ\n€"}, {"text": "hiru", "url": None}]


def written(folder: Path, kind: str) -> Path:
    path = folder / f"rows.{kind}"
    lines = b"".join(map(line, ROWS))
    if kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)
    elif kind == "jsonl.gz":
        path.write_bytes(gzip.compress(lines))
    elif kind == "jsonl.zst":
        path.write_bytes(zstandard.compress(lines))
    else:
        path.write_bytes(lines)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"])
@pytest.mark.parametrize("skip", [0, 2])
def test_every_kind_of_file_gives_the_same_rows_and_places(tmp_path: Path, kind: str, skip: int) -> None:
    path, bad = written(tmp_path, kind), BadRows()
    found = list(read_rows(path, bad, skip=skip))
    assert [fields["text"] for _, fields in found] == [row["text"] for row in ROWS][skip:]
    assert [place for place, _ in found] == [Place(str(path), n) for n in (1, 2, 3)][skip:]
    assert not bad.counts


def test_bad_rows_are_counted_and_located_and_the_rest_is_read(tmp_path: Path) -> None:
    path, bad = tmp_path / "rows.jsonl", BadRows(located=1)
    path.write_bytes(b'{"text": "bat"}\n{"text": \n\n[1]\n"\xff"\n{"text":\n{"text": "bi"}')
    assert [fields["text"] for _, fields in read_rows(path, bad)] == ["bat", "bi"]
    assert bad.report() == {
        "rows": 4,
        "reasons": {
            "not JSON": {"rows": 2, "first": [f"{path}:2"]},
            "not UTF-8": {"rows": 1, "first": [f"{path}:5"]},
            "not an object": {"rows": 1, "first": [f"{path}:4"]},
        },
    }


def test_counts_of_processes_add_up() -> None:
    one, other = BadRows(located=2), BadRows(located=2)
    for bad, rows in ((one, [1]), (other, [7, 8])):
        for row in rows:
            bad.add(Place("f", row), "no text")
    one.merge(other)
    assert one.report()["reasons"] == {"no text": {"rows": 3, "first": ["f:1", "f:7"]}}


def test_a_zstd_file_of_several_frames_is_read_through(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(b"".join(zstandard.compress(line(row)) for row in ROWS))
    assert [fields for _, fields in read_rows(path, BadRows())] == ROWS


@pytest.mark.parametrize("kind", ["jsonl.gz", "jsonl.zst", "parquet"])
def test_a_file_that_breaks_off_is_named(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(BadData, match=str(path)):
        list(read_rows(path, BadRows()))


def test_folders_give_their_files_and_anything_else_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "b.parquet", tmp_path / "a.jsonl.zst"
    for path in (first, second, tmp_path / "README.md"):
        path.touch()
    assert inputs([tmp_path, first]) == [second, first, first]
    (tmp_path / "empty").mkdir()
    for wrong in ("empty", "README.md", "nothing.jsonl"):
        with pytest.raises(BadData, match=wrong):
            inputs([tmp_path / wrong])


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), max_size=5))
def test_what_is_written_is_read(rows: list[Fields]) -> None:
    assert [json.loads(line(row)) for row in rows] == rows


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{n}.{suffix}" for n in (1, 2)]
    for path in paths:
        with open_to_write(path) as file:
            file.writelines(map(line, ROWS))
    assert [fields for _, fields in read_rows(paths[0], BadRows())] == ROWS
    if suffix != "jsonl.gz":  # gzip keeps the name
        assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("fields", [{}, {"text": 3}, {"text": " \n"}], ids=["none", "a number", "blank"])
def test_a_document_needs_text(fields: dict[str, object]) -> None:
    with pytest.raises(BadData, match="text"):
        text_of(fields)


def test_messages_of_both_names_get_the_templates_roles() -> None:
    wanted = [{"role": "user", "content": "Kaixo"}, {"role": "assistant", "content": "Aupa!"}]
    assert messages_of({"messages": wanted}) == wanted
    foreign = [{"from": "human", "value": "Kaixo"}, {"from": "gpt", "value": "Aupa!"}]
    assert messages_of({"conversations": foreign}) == wanted


@pytest.mark.parametrize(
    "raw", [None, [], ["Kaixo"], [{"role": "bot", "content": "x"}], [{"role": "user", "content": None}]]
)
def test_other_chats_are_refused_with_a_reason(raw: object) -> None:
    with pytest.raises(BadData):
        messages_of({"conversations": raw})


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_a_line_too_long_is_a_bad_row_and_the_next_is_read(tmp_path: Path, kind: str) -> None:
    path, bad = tmp_path / f"rows.{kind}", BadRows()
    with open_to_write(path) as file:
        file.writelines(
            map(line, [{"text": "bat"}, {"text": "b" * 5000}, {"text": "hiru"}, {"text": "l" * 5000}])
        )
    found = [(place.row, fields["text"]) for place, fields in read_rows(path, bad, longest=100)]
    assert found == [(1, "bat"), (3, "hiru")]
    reason = {"rows": 2, "first": [f"{path}:2", f"{path}:4"]}
    assert bad.report()["reasons"] == {"a line of too many bytes": reason}


@pytest.mark.parametrize("extra", [0, 1])
def test_a_line_of_just_so_many_bytes_is_read(tmp_path: Path, extra: int) -> None:
    path, bad = tmp_path / "rows.jsonl", BadRows()
    path.write_bytes(line({"text": "bat"}) + line({"text": "bi"}))
    longest = len(line({"text": "bat"})) - 1 - extra
    assert len(list(read_rows(path, bad, longest=longest))) == 2 - extra


def test_brackets_without_end_are_a_bad_row(tmp_path: Path) -> None:
    path, bad = tmp_path / "rows.jsonl", BadRows()
    path.write_bytes(b"[" * 200_000 + b"\n" + line({"text": "bi"}))
    assert [fields["text"] for _, fields in read_rows(path, bad)] == ["bi"]
    assert bad.counts == {"not JSON": 1}


def test_counting_begins_anew_and_what_was_told_stays() -> None:
    bad = BadRows()
    bad.add(Place("f", 1), "no text")
    told = bad.report()
    bad.clear()
    bad.add(Place("f", 2), "no text")
    assert told["reasons"]["no text"] == {"rows": 1, "first": ["f:1"]}
    assert bad.report()["reasons"]["no text"] == {"rows": 1, "first": ["f:2"]}


def test_a_report_can_be_counted_on() -> None:
    bad = BadRows(located=2)
    for row in range(1, 5):
        bad.add(Place("f", row), "no text")
    again = BadRows.of_report(bad.report())
    assert again.report() == bad.report()
    again.add(Place("f", 5), "no text")
    assert again.counts == {"no text": 5}


def test_a_large_row_group_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    texts = [random.Random(n).randbytes(2_000).hex() for n in range(6_000)]
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), path, row_group_size=10_000)
    held = [pyarrow.total_allocated_bytes() for _ in read_rows(path, BadRows())]
    assert len(held) == 6_000
    assert max(held) < path.stat().st_size / 2
