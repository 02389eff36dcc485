"""A board as text: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from ranking.board import INDEPENDENT, BoardResult, Rating
from ranking.numbers import Numbers
from ranking.tables import Table, Value, to_csv, to_json

FORMATS = ("table", "json", "csv")
_COLUMNS = tuple(Rating.__slots__)


def render(board: BoardResult, how: str) -> str:
    """The board in one of :data:`FORMATS`, ending in a line feed."""
    if how == "json":
        return json.dumps(board.as_json(), ensure_ascii=False, allow_nan=False) + "\n"
    return _csv(board) if how == "csv" else _table(board)


def render_numbers(found: Numbers, how: str, **about: Value) -> str:
    """An analysis in one of :data:`FORMATS`: one JSON object as the site's pages give it, or each table under its name."""
    if how == "json":
        return to_json(found.tables, **about, **found.facts)
    facts = [f"{name} {value}" for name, value in {**about, **found.facts}.items()]
    written = [to_csv(each) if how == "csv" else _aligned(each) for each in found.tables]
    tables = [f"# {each.name}\n{text}" for each, text in zip(found.tables, written, strict=True)]
    return "\n".join(["# " + ", ".join(facts) + "\n", *tables])


def _aligned(table: Table) -> str:
    rows: list[Sequence[str]] = [table.columns, *([_plain(each) for each in row] for row in table.rows)]
    wide = [max(len(row[at]) for row in rows) for at in range(len(table.columns))]
    lines = ("  ".join(f"{each:<{w}}" for each, w in zip(row, wide, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def _plain(value: Value) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _csv(board: BoardResult) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(board.as_json()["ratings"])
    return out.getvalue()


def _table(board: BoardResult) -> str:
    wide = max((len(row.model) for row in board.ratings), default=5)
    by = "" if board.cluster == INDEPENDENT else f" by {board.cluster}"
    head = (
        f"{board.n_votes} votes, {board.n_models} models, {board.criterion}, "
        f"ties {board.ties}, {100 * board.interval:g} % intervals{by}, status {board.status}"
    )
    titles = (
        f"{'tier':>4} {'rank':>7} {'model':<{wide}} {'rating':>7} {'interval':>16} "
        f"{'n':>7} {'wins':>7} {'ties':>7} {'losses':>7}  status"
    )
    return "\n".join([head, titles, *(_line(row, wide) for row in board.ratings)]) + "\n"


def _line(row: Rating, wide: int) -> str:
    tier, ranks, rating, interval = "-", "-", "-", "-"
    if row.rating is not None:
        tier, ranks, rating = str(row.tier), f"{row.rank_low}-{row.rank_high}", f"{row.rating:.1f}"
        interval = f"{row.low:.1f}..{row.high:.1f}"
    return (
        f"{tier:>4} {ranks:>7} {row.model:<{wide}} {rating:>7} {interval:>16} "
        f"{row.n:>7} {row.wins:>7} {row.ties:>7} {row.losses:>7}  {row.status}"
    )
