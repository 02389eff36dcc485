from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from training.data.cleaning.options import options
from training.data.cleaning.run import read_batches
from training.data.cleaning.sources import documents, files
from training.data.rows import BadRows, line
from training.errors import BadData

PAGE = "<html><head><title>x</title></head><body><nav>Menua</nav><p>Kaixo <b>mundua</b></p></body></html>"


def read(path: Path, *, skip: int = 0, **values: object) -> tuple[list[tuple[int, str]], BadRows]:
    bad = BadRows()
    found = [(row, text) for row, text, _ in documents(path, bad, options(**values), skip=skip)]
    return found, bad


def test_folders_give_all_kinds_of_files_in_order(tmp_path: Path) -> None:
    names = ["b.txt", "a.jsonl", "c/d.html", "c/e.parquet", "f.txt.gz", "g.jsonl.zst", "h.htm"]
    for name in (*names, "z.png", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert files([tmp_path]) == sorted(tmp_path / name for name in names)
    assert files([tmp_path / "b.txt", tmp_path / "a.jsonl"]) == [tmp_path / "b.txt", tmp_path / "a.jsonl"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("absent.jsonl", "no such file"), ("there.png", "neither rows"), ("empty", "no rows, no text")],
)
def test_what_holds_no_documents_is_refused(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "there.png").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadData, match=told):
        files([tmp_path / name])


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_a_plain_text_is_a_document(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    ending = {bytes: "", gzip.compress: ".gz"}.get(pack, ".zst")
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(pack("\ufeffKaixo\n\nmundua\n".encode()))
    assert read(path)[0] == [(1, "Kaixo\n\nmundua\n")]
    assert read(path, skip=1)[0] == []


def test_or_each_of_its_paragraphs_is(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\nbat\nbi\n\n\nhiru\n \nlau")
    assert read(path, text_unit="paragraph")[0] == [(2, "bat\nbi\n"), (6, "hiru\n"), (8, "lau")]
    assert read(path, text_unit="paragraph", skip=2)[0] == [(6, "hiru\n"), (8, "lau")]
    assert read(path, text_unit="paragraph", skip=6)[0] == [(8, "lau")]


def test_paragraphs_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(
        b"bat\n\n\xff\n\n" + b"a" * 30 + b"\n\n" + b"b" * 900 + b"\nbi\n\n" + b"c\n" * 400 + b"\nazkena"
    )
    found, bad = read(path, text_unit="paragraph", max_characters=20)
    assert found == [(1, "bat\n"), (411, "azkena")]
    assert bad.report()["reasons"] == {
        "a text of too many characters": {"rows": 3, "first": [f"{path}:5", f"{path}:7", f"{path}:10"]},
        "not UTF-8": {"rows": 1, "first": [f"{path}:3"]},
    }


def test_a_page_is_a_document(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(PAGE)
    assert read(path)[0] == [(1, "Kaixo mundua")]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"<p> </p>", "empty text"),
        (b"<p>" + b"a" * 700, "a text of too many characters"),
    ],
)
def test_files_that_cannot_be_used_are_told(tmp_path: Path, raw: bytes, reason: str) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(raw)
    found, bad = read(path, max_characters=100)
    assert found == []
    assert bad.report()["reasons"] == {reason: {"rows": 1, "first": [f"{path}:1"]}}


def test_a_text_file_that_breaks_off_stops_the_run(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"kaixo" * 1000)[:30])
    with pytest.raises(BadData, match=r"a\.txt\.gz: "):
        read(path)


def test_parquet_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pyarrow.Table.from_pylist(
        [{"text": "bat", "n": 1}, {"text": None, "n": 2}, {"text": "hiru", "n": 3}]
    )
    pyarrow.parquet.write_table(table, path)
    found, bad = read(path)
    assert found == [(1, "bat"), (3, "hiru")]
    assert bad.report()["reasons"] == {"no text": {"rows": 1, "first": [f"{path}:2"]}}


def test_batches_after_any_place_are_those_of_the_whole(tmp_path: Path) -> None:
    paths = [tmp_path / f"{at}.jsonl" for at in range(3)]
    for at, path in enumerate(paths):
        path.write_bytes(
            b"".join(line({"text": f"{at} {n} " + "x" * 30 * n}) for n in range(1, 9)) + b"{\n" * at
        )
    chosen = options(batch_characters=1_500)
    whole = list(read_batches(paths, (0, 0), 0, chosen))
    assert len(whole) > 5
    assert [each.number for each in whole] == list(range(len(whole)))
    assert sum(len(each.documents) for each in whole) == 24
    assert sum(each.bad["rows"] for each in whole) == 3
    for at, batch in enumerate(whole):
        assert list(read_batches(paths, batch.end, at + 1, chosen)) == whole[at + 1 :]


def test_kept_fields_that_are_no_plain_values_become_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a", "big": 123456789012345678901234, "nan": NaN, "ok": 1.5, "yes": true}\n')
    chosen = options(keep_fields=("big", "nan", "ok", "yes"))
    [(_, _, kept)] = documents(path, BadRows(), chosen, skip=0)
    assert kept == {"big": "123456789012345678901234", "nan": "nan", "ok": 1.5, "yes": True}
