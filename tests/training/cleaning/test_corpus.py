"""Whole cleanings of planted rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from tests.training.cleaning.planted import FOREIGN, Planted, contents, kept, planted, report
from training.data.cleaning.options import Options, options
from training.data.cleaning.run import clean_corpus
from training.data.corpus import PROSE, documents
from training.data.rows import line
from training.errors import BadData

SMALL = Options(batch_characters=20_000)


@pytest.fixture(scope="module")
def rows() -> Planted:
    return planted()


@pytest.fixture(scope="module")
def source(rows: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rows.write(tmp_path_factory.mktemp("planted") / "rows.jsonl")


@pytest.fixture(scope="module")
def evaluation(rows: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evaluation") / "task.jsonl"
    path.write_bytes(b"".join(map(line, rows.evaluation)))
    return path


@pytest.fixture(scope="module")
def cleaned(source: Path, evaluation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cleaned") / "out"
    clean_corpus([source], folder, SMALL, against=[evaluation])
    return folder


@pytest.mark.parametrize("kind", ["copy", "near copy", "foreign", "contaminated"])
def test_nearly_all_planted_faults_are_found(cleaned: Path, rows: Planted, kind: str) -> None:
    there = kept(cleaned)
    missed = [row for row in rows.kinds[kind] if row in there]
    assert len(missed) <= 0.05 * len(rows.kinds[kind])


def test_nearly_all_foreign_lines_go_and_the_basque_around_them_stays(cleaned: Path, rows: Planted) -> None:
    there = kept(cleaned)
    mine = [row for row in rows.kinds["foreign line"] if row in there]
    assert len(mine) >= 0.95 * len(rows.kinds["foreign line"])
    missed = [row for row in mine if any(each in there[row] for each in FOREIGN)]
    assert len(missed) <= 0.05 * len(mine)
    for row in mine:
        basque = [each for each in rows.rows[row - 1]["text"].split("\n") if each not in FOREIGN]
        assert [each for each in there[row].split("\n") if each not in FOREIGN] == basque


def test_clean_basque_stays_as_it_is(cleaned: Path, rows: Planted) -> None:
    there = kept(cleaned)
    assert all(there[row] == rows.rows[row - 1]["text"] for row in rows.kinds["clean"])


def test_the_report_tells_each_filter_and_where_its_first_examples_stand(
    cleaned: Path, rows: Planted, source: Path, evaluation: Path
) -> None:
    told = report(cleaned)
    found = told["filters"]
    assert found["equal"]["documents"] == len(rows.kinds["copy"])
    assert found["foreign_documents"]["documents"] == len(rows.kinds["foreign"])
    assert found["foreign_documents"]["examples"][0]["place"] == f"{source}:{rows.kinds['foreign'][0]}"
    assert found["contaminated"]["examples"][0]["of"].startswith(f"{evaluation}:")
    assert len(found["near"]["examples"]) == 5
    for name in ("equal", "near"):
        for example in found[name]["examples"]:
            of, place = example["of"].rsplit(":", 1), example["place"].rsplit(":", 1)
            assert of[0] == place[0] == str(source)
            assert int(of[1]) < int(place[1])
    assert told["against"]["rows"] == len(rows.evaluation)
    assert told["languages"]["eu"] == len(rows.rows) - len(rows.kinds["foreign"])


def test_what_comes_in_goes_out_or_to_a_filter(cleaned: Path) -> None:
    told = report(cleaned)
    for unit in ("documents", "lines", "characters", "bytes"):
        taken = sum(each[unit] for each in told["filters"].values())
        assert told["normalised"][unit] == told["kept"][unit] + taken, unit


def test_the_number_of_processes_changes_nothing(
    cleaned: Path, source: Path, evaluation: Path, tmp_path: Path
) -> None:
    clean_corpus([source], tmp_path, SMALL, against=[evaluation], processes=2)
    assert contents(tmp_path) == contents(cleaned)


def test_the_size_of_batches_hardly_matters(
    cleaned: Path, source: Path, evaluation: Path, tmp_path: Path
) -> None:
    clean_corpus([source], tmp_path, Options(), against=[evaluation])
    assert set(kept(tmp_path)) == set(kept(cleaned))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_packed_rows_give_the_same(
    cleaned: Path, source: Path, evaluation: Path, tmp_path: Path, pack: object
) -> None:
    assert callable(pack)
    path = tmp_path / f"rows.jsonl.{'gz' if pack is gzip.compress else 'zst'}"
    path.write_bytes(pack(source.read_bytes()))
    clean_corpus([path], tmp_path / "out", SMALL, against=[evaluation])
    assert kept(tmp_path / "out") == kept(cleaned)


def test_shards_are_cut_by_size_and_hold_everything_in_order(source: Path, tmp_path: Path) -> None:
    many = [*range(1, 4)]
    text = source.read_bytes()
    paths = []
    for each in many:
        paths.append(tmp_path / f"{each}.jsonl")
        paths[-1].write_bytes(
            b"".join(line({"text": f"{row['text']} {each}{each}"}) for row in _parsed(text))
        )
    clean_corpus(
        paths, tmp_path / "out", options(batch_characters=400_000, shard_mb=1, near=False, repeated_in=10**6)
    )
    told = report(tmp_path / "out")
    assert told["shards"] == [f"corpus-{at:05d}.jsonl.zst" for at in range(len(told["shards"]))]
    order = [
        (fields["source"], fields["row"])
        for name in told["shards"]
        for fields in _parsed(zstandard.decompress((tmp_path / "out" / name).read_bytes(), 1 << 27))
    ]
    assert order == sorted(order)
    assert len(order) == told["kept"]["documents"]


def test_a_line_that_stands_in_many_documents_stays_in_the_first(rows: Planted, tmp_path: Path) -> None:
    footer = "Jarri gurekin harremanetan bulegoko ordutegian."
    texts = [rows.rows[row - 1]["text"] for row in rows.kinds["clean"]]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(line({"text": f"{text}\n{footer}"}) for text in texts[:30]))
    clean_corpus([path], tmp_path / "out", options(batch_characters=2_000))
    there = kept(tmp_path / "out")
    assert [row for row, text in there.items() if footer in text] == [1]
    assert [there[row + 1].removesuffix(f"\n{footer}") for row in range(30)] == texts[:30]
    assert report(tmp_path / "out")["filters"]["repeated_lines"]["lines"] == 29


def test_a_line_in_fewer_documents_stays_in_all(rows: Planted, tmp_path: Path) -> None:
    footer = "Jarri gurekin harremanetan bulegoko ordutegian."
    texts = [rows.rows[row - 1]["text"] for row in rows.kinds["clean"]]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(line({"text": f"{text}\n{footer}"}) for text in texts[:9]))
    clean_corpus([path], tmp_path / "out", options(batch_characters=2_000))
    assert all(text.endswith(footer) for text in kept(tmp_path / "out").values())


def test_every_document_of_the_projects_own_corpus_is_taken_for_basque(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(b"".join(line({"text": text}) for text in documents()))
    clean_corpus([path], tmp_path / "out", options(near=False, min_words=1))
    told = report(tmp_path / "out")
    assert told["languages"] == {"eu": len(documents())}
    assert "foreign_lines" not in told["filters"]


def test_the_projects_prose_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "prosa.txt"
    path.write_bytes(PROSE.read_bytes())
    clean_corpus([path], tmp_path / "out", options(text_unit="paragraph"))
    assert "\n\n".join(kept(tmp_path / "out").values()) == PROSE.read_text().strip()


def test_bad_rows_are_counted_and_located_across_batches(rows: Planted, tmp_path: Path) -> None:
    good = [line(rows.rows[row - 1]) for row in rows.kinds["clean"][:8]]
    bad = [b"{\n", b'{"text": 3}\n', b"\xff\xfe\n", b'{"text": " "}\n', b'"text"\n', b'{"body": "bai"}\n']
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        b"".join(each for pair in zip(good, [*bad, *bad], strict=False) for each in pair) + bad[0]
    )
    clean_corpus([path], tmp_path / "out", options(batch_characters=1_000))
    told = report(tmp_path / "out")["bad_rows"]
    assert told["rows"] == 9
    assert told["reasons"]["not JSON"] == {"rows": 3, "first": [f"{path}:2", f"{path}:14", f"{path}:17"]}
    assert told["reasons"]["no text"]["first"] == [f"{path}:4", f"{path}:12", f"{path}:16"]
    assert told["reasons"]["empty text"]["first"] == [f"{path}:8"]
    assert sorted(kept(tmp_path / "out")) == list(range(1, 17, 2))


def test_a_text_too_long_is_a_bad_row_and_the_next_is_read(rows: Planted, tmp_path: Path) -> None:
    texts = ["a" * 5_000, rows.rows[rows.kinds["clean"][0] - 1]["text"], "b" * 50_000]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(line({"text": text}) for text in texts))
    clean_corpus([path], tmp_path / "out", options(max_characters=2_000))
    assert report(tmp_path / "out")["bad_rows"]["reasons"] == {
        "a line of too many bytes": {"rows": 1, "first": [f"{path}:3"]},
        "a text of too many characters": {"rows": 1, "first": [f"{path}:1"]},
    }
    assert list(kept(tmp_path / "out")) == [2]


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n")
    told = clean_corpus([path], tmp_path / "out", Options())
    assert told["kept"]["documents"] == 0
    assert told["shards"] == []
    assert contents(tmp_path / "out").keys() == {"report.json"}


def test_kept_fields_come_along_as_plain_values(rows: Planted, tmp_path: Path) -> None:
    text = rows.rows[rows.kinds["clean"][0] - 1]["text"]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        line({"text": text, "url": "https://adibidea.eus", "id": 7, "more": {"a": [1]}, "none": None})
    )
    clean_corpus([path], tmp_path / "out", options(keep_fields=("url", "id", "more", "none", "absent")))
    [found] = _parsed(
        zstandard.decompress((tmp_path / "out" / "corpus-00000.jsonl.zst").read_bytes(), 1 << 20)
    )
    assert found == {
        "text": text,
        "source": str(path),
        "row": 1,
        "url": "https://adibidea.eus",
        "id": 7,
        "more": "{'a': [1]}",
        "none": None,
    }


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"keep_fields": ("row",)}, "the output's own fields cannot be kept: row"),
        ({"near_similarity": 1.5}, "--near-similarity"),
        ({"languages": ()}, "there must be a language"),
        ({"nerar": True}, "--nerar"),
    ],
)
def test_options_that_do_not_hold_are_named(values: dict[str, object], told: str) -> None:
    with pytest.raises(BadData, match=told):
        options(**values)


def test_a_folder_of_another_cleaning_is_refused_and_told_what_differs(source: Path, tmp_path: Path) -> None:
    clean_corpus([source], tmp_path / "out", SMALL)
    with pytest.raises(BadData, match="other options;"):
        clean_corpus([source], tmp_path / "out", options(min_words=11))
    other = tmp_path / "other.jsonl"
    other.write_bytes(source.read_bytes())
    with pytest.raises(BadData, match="other inputs;"):
        clean_corpus([other], tmp_path / "out", SMALL)
    with pytest.raises(BadData, match="other against;"):
        clean_corpus([source], tmp_path / "out", SMALL, against=[other])


def test_a_finished_cleaning_is_told_again_and_not_done_again(
    cleaned: Path, source: Path, evaluation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.data.cleaning.run._Run", None)
    assert clean_corpus([source], cleaned, SMALL, against=[evaluation]) == report(cleaned)


def _parsed(raw: bytes) -> list[dict[str, object]]:
    return [json.loads(each) for each in raw.splitlines()]
