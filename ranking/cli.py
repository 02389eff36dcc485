"""``python -m ranking FILE``: a board, or another analysis, from a file of votes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ranking.analysis import VOTER, Asked, analyse
from ranking.analysis_options import BOARD, add_analysis_options, chosen_judgements, selection_of
from ranking.ballots import NOBODY, Ballots
from ranking.board import INDEPENDENT, BoardResult, build_board, build_board_from_ballots
from ranking.errors import BadInput
from ranking.formats import FORMATS, render, render_numbers
from ranking.readers import (
    VOTER_COLUMNS,
    Layout,
    ballots_of,
    layout_of,
    read_rows,
    tally_of,
    voter_column,
)
from ranking.rows import Table
from ranking.types import Criterion, TieRule

BAD_INPUT = 2
AUTO = "auto"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the board; 0 for any board, also an empty one, and 2 for input that cannot be used."""
    options = _parser().parse_args(argv)
    criterion = Criterion(options.criterion)
    try:
        _check(options)
    except BadInput as error:
        return _refuse(str(error))
    try:
        written = _written(options, criterion)
    except BadInput as error:
        return _refuse(f"{options.file}: {error}")
    sys.stdout.write(written)
    return 0


def _written(options: argparse.Namespace, criterion: Criterion) -> str:
    named = None if options.cluster in {AUTO, INDEPENDENT} else options.cluster
    table = read_rows(options.file, voter=named)
    layout = layout_of(table)
    if layout is not Layout.JUDGEMENTS and (options.analysis != BOARD or selection_of(options).asked):
        raise BadInput("analyses and filters need a file of the export layout judgements")
    if options.analysis == BOARD:
        return render(_board(options, criterion, table, named), options.format)
    asked = Asked(criterion, options.by)
    found = analyse(options.analysis, chosen_judgements(table, options, criterion), asked)
    return render_numbers(found, options.format, analysis=options.analysis, criterion=criterion.value)


def _board(options: argparse.Namespace, criterion: Criterion, table: Table, named: str | None) -> BoardResult:
    cap = options.cap_per_user_candidate
    ties, interval = TieRule(options.ties), options.interval
    if layout_of(table) is Layout.PAIRS:
        if named is not None or cap is not None:
            raise BadInput(
                "pair counts do not say who voted: no --cluster COLUMN, no --cap-per-user-candidate"
            )
        return build_board(tally_of(table, criterion), criterion=criterion, ties=ties, interval=interval)
    voter, ballots = _votes(options, criterion, table, named)
    if ties is TieRule.RAO_KUPPER:
        if ballots.weight is not None:
            raise BadInput("--ties rao-kupper knows no weights", column="weight")
        voter = None
    cluster = _cluster(options.cluster, voter, ballots)
    return build_board_from_ballots(
        ballots, criterion=criterion, ties=ties, interval=interval, cluster=cluster, cap=cap
    )


def _votes(
    options: argparse.Namespace, criterion: Criterion, table: Table, named: str | None
) -> tuple[str | None, Ballots]:
    """The column that says who voted, if one does, and the votes."""
    if layout_of(table) is Layout.JUDGEMENTS:
        if named not in {None, VOTER}:
            raise BadInput("says who voted in this layout", column=VOTER)
        return VOTER, chosen_judgements(table, options, criterion).ballots
    cap = options.cap_per_user_candidate
    voter = named or voter_column(table)
    if cap is not None and voter is None:
        raise BadInput(
            f"--cap-per-user-candidate needs to know who voted: a column {', '.join(VOTER_COLUMNS)}, or --cluster COLUMN"
        )
    return voter, ballots_of(table, criterion, voter=voter, all_named=cap is not None)


def _cluster(asked: str, voter: str | None, ballots: Ballots) -> str:
    if voter is None or asked == INDEPENDENT:
        return INDEPENDENT
    # one voter alone says nothing of how voters differ: left to itself the board takes the votes as independent, and says so
    one = len(np.unique(ballots.user[ballots.user != NOBODY])) < 2
    return INDEPENDENT if asked == AUTO and one else voter


def _refuse(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ranking", description="Rank models from a file of votes."
    )
    parser.add_argument(
        "file", type=Path, help="pair counts or votes; CSV or JSON lines, plain, gzip or zstd, or Parquet"
    )
    parser.add_argument(
        "--criterion",
        choices=[each.value for each in Criterion],
        default="overall",
        help="which winner of a vote to read; pair counts have overall alone",
    )
    add_fit_options(parser)
    parser.add_argument(
        "--cluster",
        default=AUTO,
        metavar="auto|none|COLUMN",
        help="whose votes hang together: intervals are clustered by that column. auto takes the first of "
        f"{', '.join(VOTER_COLUMNS)} that names two voters or more; none takes every vote for itself",
    )
    parser.add_argument(
        "--cap-per-user-candidate",
        type=int,
        metavar="N",
        help="the most that one voter weighs on any model, in votes; no cap if left out",
    )
    add_analysis_options(parser)
    parser.add_argument("--format", choices=FORMATS, default="table")
    return parser


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """``--ties`` and ``--interval``: what a board from a file and one from the database can be asked alike."""
    parser.add_argument(
        "--ties",
        choices=[each.value for each in TieRule],
        default="half",
        help="half a win each; an outcome of its own with a fitted threshold, every vote for itself; or left out. "
        "Ratings under different rules are on different scales",
    )
    parser.add_argument("--interval", type=float, default=0.95, help="confidence level, 0.95 if left out")


def check_interval(interval: float) -> None:
    """Raise ``BadInput`` unless *interval* is a confidence level."""
    if not 0 < interval < 1:
        raise BadInput("--interval is a probability between 0 and 1")


def _check(options: argparse.Namespace) -> None:
    check_interval(options.interval)
    selection_of(options)
    cap = options.cap_per_user_candidate
    if options.ties == TieRule.RAO_KUPPER and (cap is not None or options.cluster not in {AUTO, INDEPENDENT}):
        raise BadInput("--ties rao-kupper takes every vote for itself: no --cluster COLUMN, no cap")
    if cap is not None and cap < 1:
        raise BadInput("--cap-per-user-candidate is a number of votes, at least 1")
    if options.analysis != BOARD and (
        cap is not None or options.cluster != AUTO or options.ties != TieRule.HALF or options.interval != 0.95
    ):
        raise BadInput("--ties, --interval, --cluster and --cap-per-user-candidate are of the board alone")
