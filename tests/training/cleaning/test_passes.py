"""The second and the last pass, and the folder between them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cleaning.planted import changed, sentences
from training.data.cleaning.clean import Batch, Cleaner
from training.data.cleaning.groups import Column, decode_keys
from training.data.cleaning.options import Options, options
from training.data.cleaning.page import line_keys
from training.data.cleaning.shards import Shard, Writer, planned
from training.data.cleaning.thin import Thinner
from training.data.cleaning.work import Document, Work, read_json, write_json

BASQUE = sentences()
TEXTS = ["\n".join(BASQUE[at : at + 5]) for at in range(0, 40, 5)]
NO_BAD = {"rows": 0, "reasons": {}}


def first_pass(folder: Path, texts: list[str]) -> Work:
    """A batch of documents after the first pass, with nothing marked."""
    found = Work(folder, ("a.jsonl", "b.jsonl"))
    documents: list[Document] = [((1, row), text, {"id": row}) for row, text in enumerate(texts, start=1)]
    Cleaner(found, Options())(Batch(0, documents, NO_BAD, (2, 0)))
    lines = found.path("clean", 0, "lines").stat().st_size // 16
    np.save(found.file("documents.npy"), np.array([0, len(texts)]))
    np.save(found.file("lines.npy"), np.array([0, lines]))
    for name, n in (("equal", len(texts)), ("lines", lines), ("near", len(texts))):
        with Column(found.file(name)) as column:
            column.resize(n)
    return found


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return first_pass(tmp_path, TEXTS)


def mark(work: Work, name: str, places: list[int], values: list[int]) -> None:
    with Column(work.file(name)) as column:
        column.keep_least(np.array(places), np.array(values))


def mark_line(work: Work, text: str, value: int) -> None:
    """Mark a line of the batch."""
    keys = decode_keys(work.path("clean", 0, "lines")).tolist()
    [key] = line_keys(text, 1)
    mark(work, "lines", [keys.index(key)], [value])


def test_what_is_marked_nowhere_passes(work: Work) -> None:
    record = Thinner(work, Options())(0)
    assert [text for _, text, _ in work.documents("thin", 0)] == TEXTS
    assert record["documents"] == len(TEXTS)
    assert record["bytes"] == sum(len(text.encode()) for text in TEXTS)
    assert record["tally"]["filters"] == {}


def test_texts_of_the_first_pass_are_gone_when_the_second_is_done(work: Work) -> None:
    Thinner(work, Options())(0)
    assert {path.name for path in (work.root / "clean").iterdir()} == {
        f"0000000.{kind}" for kind in ("equal", "json", "lines", "places")
    }


def test_a_document_equal_to_an_earlier_one_goes(work: Work) -> None:
    mark(work, "equal", [3], [1 + 1])
    record = Thinner(work, Options())(0)
    assert [text for _, text, _ in work.documents("thin", 0)] == [*TEXTS[:3], *TEXTS[4:]]
    [example] = record["tally"]["filters"]["equal"]["examples"]
    assert (example["place"], example["of"]) == ("b.jsonl:4", "b.jsonl:2")


@pytest.mark.parametrize(("value", "kept"), [(1, False), (2 + 0, True), (2 + 7, False)])
def test_a_repeated_line_stays_with_its_keeper_alone(work: Work, value: int, kept: bool) -> None:
    mark_line(work, BASQUE[2], value)
    record = Thinner(work, options(repeated_words=1, near=False))(0)
    first = work.documents("thin", 0)[0][1]
    assert (BASQUE[2] in first) == kept
    assert ("repeated_lines" in record["tally"]["filters"]) != kept


def test_a_document_too_short_without_its_repeated_lines_goes(work: Work) -> None:
    for text in BASQUE[:5]:
        mark_line(work, text, 1)
    record = Thinner(work, Options())(0)
    assert work.documents("thin", 0)[0][1] == TEXTS[1]
    filters = record["tally"]["filters"]
    assert filters["repeated_lines"]["lines"] == 5
    assert filters["short"]["documents"] == 1


def test_a_document_that_lost_lines_is_sketched_anew(work: Work) -> None:
    before = np.fromfile(work.path("clean", 0, "signatures"), dtype=np.uint32).reshape(8, -1)
    mark_line(work, BASQUE[2], 1)
    Thinner(work, Options())(0)
    after = np.fromfile(work.path("thin", 0, "signatures"), dtype=np.uint32).reshape(8, -1)
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1:], after[1:])


def test_near_duplicates_in_a_batch_go_and_leave_no_bands(tmp_path: Path) -> None:
    work = first_pass(tmp_path, [*TEXTS[:3], changed(random.Random(1), TEXTS[0], 0.03)])
    record = Thinner(work, Options())(0)
    assert [text for _, text, _ in work.documents("thin", 0)] == TEXTS[:3]
    assert record["tally"]["filters"]["near"]["examples"][0]["of"] == "b.jsonl:1"
    assert work.path("thin", 0, "bands").stat().st_size == 3 * 32 * 16


def test_a_shard_holds_what_is_no_near_duplicate(work: Work) -> None:
    Thinner(work, Options())(0)
    np.save(work.file("near.npy"), np.array([0, len(TEXTS)]))
    mark(work, "near", [5, 6], [1, 3])
    record = Writer(work, Options())(Shard(0, 0, 1))
    raw = zstandard.decompress((work.folder / record["file"]).read_bytes(), 1 << 20)
    rows = [json.loads(each) for each in raw.splitlines()]
    assert rows == [
        {"text": text, "source": "b.jsonl", "row": row, "id": row}
        for row, text in enumerate(TEXTS, start=1)
        if row not in {6, 7}
    ]
    assert record["tally"]["kept"]["documents"] == 6
    assert [each["of"] for each in record["tally"]["filters"]["near"]["examples"]] == [
        "b.jsonl:1",
        "b.jsonl:3",
    ]
    assert work.done("shards", 0) == record
    assert {path.name for path in work.folder.iterdir()} == {"corpus-00000.jsonl.zst", "work"}


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 60))
def test_shards_hold_every_batch_once_in_order(sizes: list[int], most: int) -> None:
    shards = planned(sizes, most)
    assert [each for shard in shards for each in range(shard.first, shard.last)] == list(range(len(sizes)))
    assert [shard.number for shard in shards] == list(range(len(shards)))
    for shard in shards:
        assert shard.last - shard.first == 1 or sum(sizes[shard.first : shard.last]) <= most


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.integers(0, 2**32 - 1)), max_size=5))
def test_documents_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int]]
) -> None:
    work = Work(tmp_path_factory.mktemp("work"), ("a", "b"))
    documents: list[Document] = [
        ((1, row), text, {"n": row, "x": None, "f": 0.5, "b": True}) for text, row in found
    ]
    work.write_documents("clean", 3, documents)
    assert work.documents("clean", 3) == documents
    for at, (place, _, _) in enumerate(documents):
        assert work.place("clean", np.array([0, 0, 0, 0, len(documents)]), at) == f"b:{place[1]}"


def test_a_record_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a" / "b.json"
    assert read_json(path) is None
    write_json(path, {"ñ": 1})

    def fail(self: Path, target: Path) -> Path:
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_json(path, {"ñ": 2})
    assert read_json(path) == {"ñ": 1}
