"""Sources to folders of tokens: once, whole, by content, whoever is killed."""

from __future__ import annotations

import gzip
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from tokenizers import Tokenizer

from tests.training.small import chats, documents, encoder, write_rows
from training.data import encoding, hashes, tokenised
from training.data.encoding import Chunk, Position, chunks
from training.data.hashes import Content, contents
from training.data.store import Kind, Store
from training.data.tokenise import Encoder
from training.data.tokenised import Tokenised
from training.errors import BadData, RunFailed


def made(path: Path, folder: Path, kind: Kind = "documents", **how: Any) -> Tokenised:
    return tokenised.tokenised("prose", path, kind, how.pop("encoder", encoder()), folder=folder, **how)


def texts_of(store: Store) -> list[str]:
    tokenizer = Tokenizer.from_str(encoder().definition)
    found = [store.piece(number, 0, int(size))[0].tolist() for number, size in enumerate(store.lengths)]
    return [tokenizer.decode(ids, skip_special_tokens=True) for ids in found]


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything in it that tokens are read from."""
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("0*"))}


def test_documents_and_chats_come_out_as_they_went_in(tmp_path: Path) -> None:
    rows = documents(30)
    found = made(write_rows(tmp_path / "in" / "a.jsonl", rows), tmp_path / "out")
    assert texts_of(found.store) == [row["text"] for row in rows]
    talk = made(write_rows(tmp_path / "c.jsonl.zst", chats(10)), tmp_path / "out", "chats")
    wanted = [encoder().chat(row["conversations"]) for row in chats(10)]
    for number, segment in enumerate(wanted):
        ids, learnt = talk.store.piece(number, 0, len(segment))
        assert ids.tolist() == segment.ids
        assert learnt.tolist() == [label != -100 for label in segment.labels]


def test_the_report_names_what_decides_and_counts_what_is_there(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "c.jsonl", chats(10))
    found = made(path, tmp_path / "out", "chats").about
    assert found["schema"] == "lehia.tokens/1"
    assert found["template"] == "llama31/1"
    assert found["tokenizer"] == encoder().sha256
    assert found["inputs"][0]["file"] == str(path)
    segments = [encoder().chat(row["conversations"]) for row in chats(10)]
    assert found["segments"] == 10
    assert found["tokens"] == sum(map(len, segments))
    assert found["learnt"] == sum(label != -100 for each in segments for label in each.labels)


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", documents(5))
    assert made(path, tmp_path / "out").was_made
    before = {each: each.stat().st_mtime_ns for each in (tmp_path / "out").rglob("*") if each.is_file()}
    assert not made(path, tmp_path / "out").was_made
    moved = path.rename(tmp_path / "elsewhere.jsonl")
    assert not made(moved, tmp_path / "out").was_made
    memory = tmp_path / "out" / "contents.json"
    assert all(each.stat().st_mtime_ns == time for each, time in before.items() if each != memory)


def test_other_content_kind_or_tokenizer_make_another_folder(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "a.jsonl", [{**one, **other} for one, other in zip(documents(5), chats(5), strict=True)]
    )
    raw = Tokenizer.from_str(encoder().definition)
    raw.add_tokens(["etxe"])
    keys = {made(path, tmp_path / "out").about["key"], made(path, tmp_path / "out", "chats").about["key"]}
    keys.add(made(path, tmp_path / "out", encoder=Encoder(raw)).about["key"])
    with path.open("ab") as file:
        file.write(b'{"text": "beste bat"}\n')
    keys.add(made(path, tmp_path / "out").about["key"])
    assert len(keys) == 4


def test_the_templates_bytes_decide_for_chats_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.jinja"
    other.write_text("{#- llama31/2: another -#}")
    keys = {kind: tokenised.key_of(kind, encoder(), []) for kind in ("documents", "chats")}
    monkeypatch.setattr(tokenised, "TWIN", other)
    assert tokenised.key_of("documents", encoder(), []) == keys["documents"]
    assert tokenised.key_of("chats", encoder(), []) != keys["chats"]


BAD: list[dict[str, Any]] = [
    {"text": 3},
    {"text": " "},
    {"conversations": [{"role": "user", "content": "x"}]},
    {"text": "bat <|eot_id|>"},
]


def test_bad_rows_are_counted_and_located_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [*documents(2), *BAD])
    with path.open("ab") as file:
        file.write(b'{"text": "\\ud83c"}\nnot JSON\n{"text": "azkena"}\n[]\n')
    found = made(path, tmp_path / "out")
    assert found.about["bad"] == {
        "rows": 6,
        "reasons": {
            "empty text": {"rows": 1, "first": [f"{path}:4"]},
            "no text": {"rows": 2, "first": [f"{path}:3", f"{path}:5"]},
            "not JSON": {"rows": 1, "first": [f"{path}:8"]},
            "not an object": {"rows": 1, "first": [f"{path}:10"]},
            "text that is not Unicode": {"rows": 1, "first": [f"{path}:7"]},
        },
    }
    assert len(texts_of(found.store)) == 4


def test_chats_that_cannot_be_used_are_counted_by_reason(tmp_path: Path) -> None:
    def chat(content: Any, role: Any = "assistant") -> dict[str, Any]:
        return {"conversations": [{"role": "user", "content": "x"}, {"role": role, "content": content}]}

    wrong = [chat("<|eot_id|>"), chat(" "), chat("x", "user"), chat("x", ["user"]), chat(None)]
    path = write_rows(tmp_path / "c.jsonl", [chat("bai", " assistant "), *wrong])
    found = made(path, tmp_path / "out", "chats").about
    assert found["segments"] == 1
    assert {reason: each["first"] for reason, each in found["bad"]["reasons"].items()} == {
        "a message holds one of the tokenizer's marks": [f"{path}:2"],
        "an empty answer": [f"{path}:3"],
        "a chat without an answer": [f"{path}:4"],
        "a message of an unknown role": [f"{path}:5"],
        "a message without text": [f"{path}:6"],
    }


def test_a_source_without_a_usable_row_is_refused_with_the_reasons(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", [{"texts": "x"}])
    with pytest.raises(BadData, match=r"prose: no row .*no text.*a\.jsonl:1"):
        made(path, tmp_path / "out")


def test_a_file_that_breaks_off_stops_it_and_is_gone_on_with_when_mended(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl.gz", documents(40))
    whole = path.read_bytes()
    path.write_bytes(whole[:-12])
    with pytest.raises(BadData, match=r"a\.jsonl\.gz"):
        made(path, tmp_path / "out")
    path.write_bytes(whole)
    assert len(made(path, tmp_path / "out").store) == 40


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_ROWS", 4)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("after", [0, 1, 5, 9, 12])
def test_a_killed_run_goes_on_and_ends_as_one_that_was_not(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[dict[str, Any]] = documents(45)
    rows[7:7] = BAD
    for number in range(3):
        write_rows(tmp_path / "in" / f"{number}.jsonl", rows[number * 16 : number * 16 + 16 + number])
    wanted = made(tmp_path / "in", tmp_path / "whole", shard_tokens=200)

    def killed(*of: Any) -> Iterator[Chunk]:
        for number, chunk in enumerate(chunks(*of)):
            if number == after:
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(tokenised, "chunks", killed)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "in", tmp_path / "out", shard_tokens=200)
    read: list[Position] = []

    def watched(files: list[Path], start: Position) -> Iterator[Chunk]:
        read.append(start)
        return chunks(files, start)

    monkeypatch.setattr(tokenised, "chunks", watched)
    found = made(tmp_path / "in", tmp_path / "out", shard_tokens=200)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
    assert {**found.about, "seconds": 0} == {**wanted.about, "seconds": 0}
    assert wanted.about["shards"] > 3
    assert (read != [Position()]) == (after >= 5)


@pytest.mark.usefixtures("small_chunks")
def test_two_processes_make_what_one_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_rows(tmp_path / "c.jsonl", [*chats(60), *BAD])
    made(path, tmp_path / "one", "chats", processes=1)
    monkeypatch.setattr(tokenised, "_ALONE", 0)
    found = made(path, tmp_path / "two", "chats", processes=2)
    assert files_of(tmp_path / "two") == files_of(tmp_path / "one")
    assert found.about["bad"]["rows"] == len(BAD)


def _dies(chunk: Chunk) -> None:
    os._exit(9)


def test_a_process_that_is_killed_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_encode", _dies)
    monkeypatch.setattr(tokenised, "_ALONE", 0)
    with pytest.raises(RunFailed, match="killed"):
        made(write_rows(tmp_path / "a.jsonl", documents(3)), tmp_path / "out", processes=2)


@pytest.mark.usefixtures("small_chunks")
def test_reading_goes_on_from_any_position(tmp_path: Path) -> None:
    files = [write_rows(tmp_path / f"{n}.jsonl", documents(10)) for n in range(2)]
    whole = list(chunks(files, Position()))
    assert [chunk.after for chunk in whole] == [
        Position(0, 4),
        Position(0, 8),
        Position(1, 0),
        Position(1, 4),
        Position(1, 8),
        Position(2, 0),
    ]
    for number, chunk in enumerate(whole[:-1]):
        rest = [each.rows for each in chunks(files, chunk.after)]
        assert rest == [each.rows for each in whole[number + 1 :]]


def test_long_rows_end_a_chunk_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_CHARACTERS", 100)
    path = write_rows(tmp_path / "a.jsonl", [{"text": "x" * 60, "url": "y" * 10**5}] * 4)
    assert [len(chunk.rows) for chunk in chunks([path], Position())] == [2, 2, 0]


def test_a_file_is_read_for_its_hash_once_as_long_as_it_does_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, packed = write_rows(tmp_path / "a.jsonl", documents(3)), tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    memory = tmp_path / "memory.json"
    first = contents([path, packed], memory, threads=2)
    assert [each.lines for each in first] == [3, None]
    read: list[Path] = []

    def watched(path: Path) -> Content:
        read.append(path)
        return first[0]

    monkeypatch.setattr(hashes, "_read", watched)
    assert contents([path, packed, path], memory, threads=2) == [*first, first[0]]
    assert read == []
    path.write_bytes(path.read_bytes().replace(b"0", b"9"))
    contents([path, packed], memory, threads=2)
    assert read == [path]


def test_what_many_read_at_once_is_remembered_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write_rows(tmp_path / f"{name}.jsonl", documents(name + 1)) for name in range(40)]
    memory = tmp_path / "memory.json"
    with ThreadPoolExecutor(8) as pool:
        each = list(pool.map(lambda path: contents([path], memory, threads=1), paths))
    monkeypatch.setattr(hashes, "_read", None)  # nothing is read again
    assert contents(paths, memory, threads=1) == [found for [found] in each]


def test_two_that_want_the_same_wait_for_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_rows(tmp_path / "a.jsonl", documents(20))
    both = threading.Barrier(2)

    def late(*of: Any) -> list[Content]:
        found = contents(*of[:2], threads=1)
        both.wait(
            timeout=60
        )  # neither begins before both know what they want; where one failed, so does the other
        return found

    monkeypatch.setattr(tokenised, "contents", lambda files, memory, threads: late(files, memory))
    with ThreadPoolExecutor(2) as pool:
        made_by = list(pool.map(lambda _: made(path, tmp_path / "out"), range(2)))
    assert sorted(each.was_made for each in made_by) == [False, True]
    assert {len(each.store) for each in made_by} == {20}


def test_the_progress_bar_counts_rows_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(write_rows(tmp_path / "a.jsonl", [*documents(7), *BAD[:2]]), tmp_path / "out")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.search(r"prose: 100%.* 9\.00/9\.00 .*bad=2", shown.err)


def test_a_shard_that_was_not_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", documents(20))
    wanted = made(path, tmp_path / "whole")
    own = tmp_path / "out" / wanted.about["key"]
    own.mkdir(parents=True)
    for part in ("ids", "ends"):  # as a kill leaves them: half written, and written but not yet described
        (own / f"00000.{part}.part").write_bytes(b"x" * 7)
        (own / f"00000.{part}").write_bytes(b"x" * 7)
    assert made(path, tmp_path / "out").was_made
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
    assert not list((tmp_path / "out").rglob("*.part"))


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_however_rows_are_packed_the_tokens_are_the_same(suffix: str, tmp_path: Path) -> None:
    plain = made(write_rows(tmp_path / "plain.jsonl", documents(20)), tmp_path / "plain")
    found = made(write_rows(tmp_path / f"rows.{suffix}", documents(20)), tmp_path / "out")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "plain")
    assert (found.about["key"] == plain.about["key"]) == (suffix == "jsonl")


def test_parquet_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(chats(12)), path)
    made(path, tmp_path / "out", "chats")
    made(write_rows(tmp_path / "c.jsonl", chats(12)), tmp_path / "plain", "chats")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "plain")
