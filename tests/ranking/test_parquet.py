from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ranking.cli import main
from ranking.errors import BadInput
from ranking.readers import read_rows, read_tally
from tests.ranking.builders import make_tally

VOTES: list[dict[str, Any]] = [
    {"model_a": "x", "model_b": "y", "winner": "model_a", "username": "ane", "conv": [{"role": "user"}]},
    {"model_a": "y", "model_b": "x", "winner": "model_a", "username": "jon", "conv": []},
    {"model_a": "x", "model_b": "y", "winner": "tie", "username": None, "conv": None},
]


def parquet_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    out = io.BytesIO()
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(list(rows)), out)
    return out.getvalue()


def make_parquet(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path = folder / "votes.parquet"
    path.write_bytes(parquet_bytes(rows))
    return path


def test_votes_are_read(tmp_path: Path) -> None:
    assert read_tally(make_parquet(tmp_path, VOTES)).equals(make_tally("x>y", "y>x", "x=y"))


def test_pair_counts_are_read(tmp_path: Path) -> None:
    row = {"model_a": "x", "model_b": "y", "n": 3, "a_wins": 1, "b_wins": 0, "ties": 2}
    assert read_tally(make_parquet(tmp_path, [row])).equals(make_tally("x>y", "x=y*2"))


def test_only_the_columns_that_matter_are_unpacked(tmp_path: Path) -> None:
    table = read_rows(make_parquet(tmp_path, VOTES))
    assert "conv" in table.columns
    assert set(table.rows[0][1]) == {"model_a", "model_b", "winner", "username"}
    assert set(read_rows(make_parquet(tmp_path, VOTES), voter="conv").rows[0][1]) >= {"conv"}


def test_a_bad_row_is_named_by_its_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_parquet(tmp_path, [*VOTES, VOTES[0] | {"winner": "me"}])
    assert main([str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"{path}: line 4, column winner: 'me' is none of")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = make_parquet(tmp_path, [{"model_a": "x", "winner": "tie"}])
    with pytest.raises(BadInput, match=r"^column model_b: this column is missing"):
        read_tally(path)


def test_the_board_is_that_of_the_same_votes_as_csv(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    as_csv = tmp_path / "votes.csv"
    as_csv.write_text("model_a,model_b,winner,username\nx,y,model_a,ane\ny,x,model_a,jon\nx,y,tie,\n")
    assert main([str(as_csv), "--format", "json"]) == 0
    expected = capsys.readouterr().out
    assert main([str(make_parquet(tmp_path, VOTES)), "--format", "json"]) == 0
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("keep", [4, 60, -9])
def test_damaged_data_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "votes.parquet"
    path.write_bytes(parquet_bytes(VOTES)[:keep])
    with pytest.raises(BadInput, match="Parquet data is damaged"):
        read_rows(path)


def test_without_pyarrow_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "votes.parquet"
    path.write_bytes(b"PAR1\x15\x04")
    with pytest.raises(BadInput, match=r"pip install 'lehia\[parquet\]'"):
        read_rows(path)
