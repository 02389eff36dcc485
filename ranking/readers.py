"""Files of votes: pair counts, or one vote a row, as CSV, JSON lines (plain, gzip or Zstandard) or Parquet."""

from __future__ import annotations

import zlib
from enum import StrEnum
from pathlib import Path

import numpy as np

from ranking import cells
from ranking.ballots import NOBODY, Ballots
from ranking.errors import BadInput
from ranking.judgements import COLUMNS as JUDGEMENT_COLUMNS
from ranking.judgements import are_judgements
from ranking.packed import unpacked
from ranking.parquet import MAGIC, read_parquet
from ranking.rows import Table, read_table
from ranking.tally import Tally
from ranking.types import Criterion

PAIR_COLUMNS = ("model_a", "model_b", "n", "a_wins", "b_wins", "ties")
VOTER_COLUMNS = ("username", "user", "judge", "worker")
"""Columns that say who voted; the first one that a file has is taken."""

_WINNER = {
    Criterion.OVERALL: "winner",
    Criterion.CONTENT: "winner_content",
    Criterion.LANGUAGE: "winner_language",
}
_MOST_VOTES = 2**53  # the last count that a float holds exactly


class Layout(StrEnum):
    PAIRS = "pairs"
    VOTES = "votes"
    JUDGEMENTS = "judgements"


def read_rows(path: Path, *, voter: str | None = None) -> Table:
    """The rows of a file, its layout open.

    Parameters
    ----------
    path
        CSV or JSON lines, plain, gzip or Zstandard, or Parquet; told apart by the first bytes.
    voter
        A column that may be needed besides those that this module knows.

    Raises
    ------
    BadInput
        With line and column, where the file is none of these. Nothing is read in part.
    """
    data = _bytes(path)
    if data.startswith(MAGIC):
        known = {*PAIR_COLUMNS, *_WINNER.values(), *VOTER_COLUMNS, *JUDGEMENT_COLUMNS, "weight"}
        return read_parquet(data, known if voter is None else known | {voter})
    return read_table(_text(data))


def layout_of(table: Table) -> Layout:
    """What the rows are, by their columns: judgements, else pair counts, unless there is a winner or nothing won."""
    if are_judgements(table):
        return Layout.JUDGEMENTS
    columns = set(table.columns)
    pairs = {"a_wins", "b_wins"} & columns and "winner" not in columns
    return Layout.PAIRS if pairs else Layout.VOTES


def read_tally(
    path: Path, *, criterion: Criterion = Criterion.OVERALL, layout: Layout | None = None
) -> Tally:
    """The tally in a file.

    Parameters
    ----------
    path
        Pair counts (``model_a,model_b,n,a_wins,b_wins,ties``) or votes (``model_a,model_b,winner``, optionally ``winner_content`` and
        ``winner_language``), as :func:`read_rows` reads them. Columns beyond these are ignored, but a vote's weight must be 1: a tally holds whole votes.
    criterion
        Which winner to read; pair counts hold the overall one alone.
    layout
        What the file must hold; found from its columns if left out.

    Raises
    ------
    BadInput
        With line and column. Nothing is read in part.
    """
    table = read_rows(path)
    if (layout or layout_of(table)) is Layout.PAIRS:
        return tally_of(table, criterion)
    ballots = ballots_of(table, criterion)
    for (line, _), weight in zip(table.rows, ballots.weights(), strict=True):
        if weight != 1:
            raise BadInput("a tally holds whole votes, of weight 1", line=line, column="weight")
    return ballots.tally()


def tally_of(table: Table, criterion: Criterion) -> Tally:
    """The tally in rows of pair counts. Raises ``BadInput`` with line and column."""
    table.need(*PAIR_COLUMNS)
    if criterion is not Criterion.OVERALL:
        raise BadInput("pair counts carry one criterion, overall")
    pairs = [(*cells.models(line, row), *_results(line, row)) for line, row in table.rows]
    names = tuple(sorted({name for pair in pairs for name in pair[:2]}))
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names), 4), dtype=np.int64)
    total = 0
    for (line, _), (model_a, model_b, a_wins, b_wins, ties) in zip(table.rows, pairs, strict=True):
        total += a_wins + b_wins + ties
        if total >= _MOST_VOTES:
            raise BadInput("the votes up to here are too many to count", line=line, column="n")
        counts[place[model_a], place[model_b], :3] += (a_wins, b_wins, ties)
    return Tally(names, counts)


def voter_column(table: Table) -> str | None:
    """The first of :data:`VOTER_COLUMNS` that the rows have, if any."""
    return next((column for column in VOTER_COLUMNS if table.has(column)), None)


def ballots_of(
    table: Table, criterion: Criterion, *, voter: str | None = None, all_named: bool = False
) -> Ballots:
    """The votes in rows of votes.

    Parameters
    ----------
    table
        Rows with ``model_a``, ``model_b``, the criterion's winner and, if they have it, ``weight``.
    criterion
        Which winner to read.
    voter
        The column that says who voted; nobody is known if left out. A vote whose cell is empty is nobody's.
    all_named
        Whether a vote of nobody is an error.

    Returns
    -------
    Ballots
        Models by name; weights only where the rows have a column of them.

    Raises
    ------
    BadInput
        With line and column.
    """
    winner = _WINNER[criterion]
    table.need("model_a", "model_b", winner)
    if voter is not None and not table.has(voter):
        table.need(voter)
    weighted = table.has("weight")
    pairs, outcomes, weights, users = [], [], [], []
    number: dict[str, int] = {"": NOBODY}
    for line, row in table.rows:
        pairs.append(cells.models(line, row))
        outcomes.append(cells.outcome(line, row, winner).place)
        weights.append(cells.weight(line, row) if weighted else 1.0)
        name = "" if voter is None else cells.voter(line, row, voter)
        if all_named and not name:
            raise BadInput("who voted is missing, so no cap can hold", line=line, column=voter or "")
        users.append(number.setdefault(name, len(number)))
    names = tuple(sorted({name for pair in pairs for name in pair}))
    place = {name: index for index, name in enumerate(names)}
    return Ballots(
        names,
        np.array([place[model_a] for model_a, _ in pairs], dtype=np.int64),
        np.array([place[model_b] for _, model_b in pairs], dtype=np.int64),
        np.array(outcomes, dtype=np.int64),
        np.array(users, dtype=np.int64),
        np.array(weights, dtype=np.float64) if weighted else None,
    )


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return unpacked(file).read()
    except (EOFError, zlib.error):
        raise BadInput("the packed data is damaged") from None
    except OSError as error:
        raise BadInput(error.strerror or "the packed data is damaged") from None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        place = error.start - before.rfind(b"\n")
        raise BadInput("is not UTF-8", line=before.count(b"\n") + 1, column=f"byte {place}") from None


def _results(line: int, row: cells.Cells) -> tuple[int, int, int]:
    n, a_wins, b_wins, ties = (cells.count(line, row, column) for column in PAIR_COLUMNS[2:])
    if n != a_wins + b_wins + ties:
        raise BadInput(f"{n} is not a_wins + b_wins + ties = {a_wins + b_wins + ties}", line=line, column="n")
    return a_wins, b_wins, ties
