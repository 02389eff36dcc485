"""The files are read by what researchers read them with, offline."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest
from datasets import load_dataset
from jsonschema import Draft202012Validator

from arena.exports.files import Format, write
from arena.exports.layouts import LAYOUTS, Row
from arena.types import Side
from ranking.types import Outcome
from tests.arena.exports.made import CONTEXT, asked, judged, record, reply
from tests.arena.exports.test_layouts import TWO

RECORDS = (record(), record(*TWO), record(vote=judged(Outcome.B_BETTER, Outcome.A_BETTER, Outcome.B_BETTER)))


def rows_of(layout: str) -> list[Row]:
    return [row for each in RECORDS for row in LAYOUTS[layout].rows(each, CONTEXT)]


@pytest.fixture
def file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    layout, form = request.param
    return write(rows_of(layout), LAYOUTS[layout], tmp_path / f"{layout}.{form.value}", form).path


def parametrized(*forms: Format) -> pytest.MarkDecorator:
    cases = [(name, form) for name in LAYOUTS for form in forms]
    return pytest.mark.parametrize("file", cases, indirect=True, ids=[f"{a}.{b.value}" for a, b in cases])


@parametrized(Format.GZIP, Format.ZSTD, Format.PARQUET)
def test_datasets_reads_every_layout(file: Path, tmp_path: Path) -> None:
    kind = "parquet" if file.suffix == ".parquet" else "json"
    found = load_dataset(kind, data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    assert list(found) == rows_of(file.name.partition(".")[0])


@parametrized(Format.PARQUET)
def test_pandas_reads_every_layout(file: Path) -> None:
    layout = file.name.partition(".")[0]
    found = pd.read_parquet(file)
    assert list(found.columns) == [field.name for field in LAYOUTS[layout].fields]
    assert len(found) == len(rows_of(layout))


@parametrized(Format.PARQUET)
def test_duckdb_reads_every_layout(file: Path) -> None:
    table = duckdb.read_parquet(str(file))
    found = [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]
    assert found == rows_of(file.name.partition(".")[0])


@parametrized(Format.PARQUET)
def test_polars_reads_every_layout(file: Path) -> None:
    assert pl.read_parquet(file).to_dicts() == rows_of(file.name.partition(".")[0])


def test_dpo_rows_are_what_preference_runs_learn_from(repository: Path) -> None:
    schema = json.loads(
        (repository / "docs" / "schemas" / "preferences.schema.json").read_text(encoding="utf-8")
    )
    rows = rows_of("dpo")
    assert rows
    for row in rows:
        Draft202012Validator(schema).validate(row)


def test_an_answer_without_a_word_makes_no_pair() -> None:
    silent = record(asked(1, "Kaixo", reply(Side.A, ""), reply(Side.B, "Ez")))
    assert not list(LAYOUTS["dpo"].rows(silent, CONTEXT))
