"""The 12,890 published votes, imported once: the board they give, and that they come back as they were in each schema and format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from arena.exports.layouts import LAYOUTS
from ranking import reference
from ranking.models import Board
from ranking.selectors import live_board
from ranking.types import Criterion
from tests.arena.exports.foreign import exported
from tests.arena.imported import FIRST, Row, published_rows, run, stored, write_lines
from tests.worlds import made_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_a_while_passes")]


@dataclass(frozen=True)
class Published:
    """The rows by time, and what the command said of them."""

    rows: list[Row]
    report: Row


@pytest.fixture(scope="module")
def published(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    def made() -> Published:
        rows = sorted(published_rows(), key=lambda row: (row["timestamp"], row["id"]))
        file = write_lines(tmp_path_factory.mktemp("published") / "votes.jsonl.gz", rows)
        return Published(rows, run(file, "ebaluatoia"))

    with made_once(django_db_blocker, made) as once:
        yield once


def test_they_give_the_board_of_the_published_pairs_and_are_stored_as_they_came(published: Published) -> None:
    assert published.report == {
        "board": "b", "n_votes": 12_890, "n_models": 21, "n_added": 12_890, "n_known": 0, "dry_run": False
    }  # fmt: skip
    run(reference.pairs_path(), "pairs", board="pairs")
    ours, theirs = (
        live_board(board=Board.objects.get(slug=slug), criterion=Criterion.OVERALL) for slug in ("b", "pairs")
    )
    assert ours.status is theirs.status
    for mine, other in zip(ours.ratings, theirs.ratings, strict=True):
        assert (mine.model, mine.n, mine.wins, mine.ties) == (other.model, other.n, other.wins, other.ties)
        for name in ("rating", "low", "high"):
            assert getattr(mine, name) == pytest.approx(getattr(other, name), abs=1e-9)
    assert stored() == {row["id"]: row for row in published.rows}


@pytest.mark.parametrize(
    "form",
    ["jsonl.zst", "parquet", *(pytest.param(form, marks=pytest.mark.slow) for form in ("jsonl", "jsonl.gz"))],
)
def test_they_come_back_equal_in_every_column_of_their_own_schema(
    published: Published, form: str, tmp_path: Path
) -> None:
    found = exported(tmp_path, "ebaluatoia", form)
    assert [list(row) for row in found[:1]] == [[field.name for field in LAYOUTS["ebaluatoia"].fields]]
    assert found == [{name: row[name] for name in found[0]} for row in published.rows]


@pytest.mark.parametrize("days", [1, pytest.param(14, marks=pytest.mark.slow)])
def test_as_lmarena_they_have_the_columns_that_both_schemas_share(
    published: Published, days: int, tmp_path: Path
) -> None:
    until = FIRST + timedelta(days=days)
    wanted = [row for row in published.rows if datetime.fromisoformat(row["timestamp"]) < until]
    found = exported(tmp_path, "lmarena", "parquet", until=until)
    for given, row in zip(wanted, found, strict=True):
        assert {name: row[name] for name in ("id", "model_a", "model_b", "winner")} == {
            name: given[name] for name in ("id", "model_a", "model_b", "winner")
        }
        assert datetime.fromisoformat(row["timestamp"]) == datetime.fromisoformat(given["timestamp"])
        for side in ("a", "b"):
            chat = [(each["role"], each["content"][0]["text"]) for each in row[f"conversation_{side}"]]
            assert chat == [(each["role"], each["content"]) for each in given[f"conv_{side}"][1:]]
