"""A board as text: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json

from ranking.board import BoardResult, Rating

FORMATS = ("table", "json", "csv")
_COLUMNS = tuple(Rating.__slots__)


def render(board: BoardResult, how: str) -> str:
    """The board in one of :data:`FORMATS`, ending in a line feed."""
    if how == "json":
        return json.dumps(board.as_json(), ensure_ascii=False, allow_nan=False) + "\n"
    return _csv(board) if how == "csv" else _table(board)


def _csv(board: BoardResult) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(board.as_json()["ratings"])
    return out.getvalue()


def _table(board: BoardResult) -> str:
    wide = max((len(row.model) for row in board.ratings), default=5)
    head = f"{board.n_votes} votes, {board.n_models} models, {board.criterion}, status {board.status}"
    lines = [
        head,
        f"{'rank':>4} {'range':>7} {'model':<{wide}} {'rating':>7} {'interval':>15} {'n':>7}  status",
    ]
    lines += [_line(row, wide) for row in board.ratings]
    return "\n".join(lines) + "\n"


def _line(row: Rating, wide: int) -> str:
    if row.rating is None:
        return f"{'-':>4} {'-':>7} {row.model:<{wide}} {'-':>7} {'-':>15} {row.n:>7}  {row.status}"
    span = f"{row.rank_low}-{row.rank_high}"
    interval = f"{row.low:.1f}..{row.high:.1f}"
    return f"{row.rank:>4} {span:>7} {row.model:<{wide}} {row.rating:>7.1f} {interval:>15} {row.n:>7}  {row.status}"
